-- Who created a todo is a column of it, which the end of that person changes; a todo that ends with them is not
-- changed.
-- given
INSERT INTO users (id, email, first_name) VALUES ('ann', 'ann@example.com', 'Ann');
INSERT INTO todos (id, title, todo_list_id, created_by_id) VALUES
    ('ann-1', 'Stays', 'backlog', 'ann'), ('ann-2', 'Goes', 'backlog', 'ann');
-- when
BEGIN;
DELETE FROM users WHERE id = 'ann';
DELETE FROM todos WHERE id = 'ann-2';
COMMIT;
DELETE FROM todos WHERE id = 'ann-1';
