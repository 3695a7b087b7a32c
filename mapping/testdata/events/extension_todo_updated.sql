-- Any column beyond timestamps; html and text are the description; relations are none of it.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('x1', 'Edited', 'backlog');
-- when
UPDATE todos SET done = true WHERE id = 'x1';
UPDATE todos SET position = 5 WHERE id = 'x1';
UPDATE todos SET html = '<p>New</p>', text = 'New' WHERE id = 'x1';
UPDATE todos SET text = 'Newer' WHERE id = 'x1';
UPDATE todos SET updated_at = '2026-02-02T00:00:00Z' WHERE id = 'x1';
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('x1-ben', 'x1', 'ben');
DELETE FROM todos WHERE id = 'x1';
