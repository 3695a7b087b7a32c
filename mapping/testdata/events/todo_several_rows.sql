-- Moved, renamed and assigned in one transaction: each event has the same two values.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t31', 'Old', 'backlog');
-- when
BEGIN;
UPDATE todos SET todo_list_id = 'doing' WHERE id = 't31';
UPDATE todos SET title = 'New' WHERE id = 't31';
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('t31-1', 't31', 'ben');
COMMIT;
