-- Rows stand in the order of their first change in the transaction, whatever is changed of them later and whichever of
-- the changes an event is about; those that come to nothing tell nothing.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES
    ('or1', 'One', 'backlog'), ('or2', 'Two', 'backlog'), ('or3', 'Three', 'backlog');
-- when
BEGIN;
UPDATE todos SET position = 3 WHERE id = 'or3';
INSERT INTO tags (id, title, project_id) VALUES ('or-g', 'Tag', 'web');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('or-u', 'or1', 'ben');
UPDATE todos SET title = 'Second' WHERE id = 'or2';
UPDATE todos SET done = true, title = 'First' WHERE id = 'or1';
UPDATE todos SET done = true WHERE id = 'or2';
UPDATE todos SET title = 'Third' WHERE id = 'or3';
UPDATE tags SET title = 'Named' WHERE id = 'or-g';
INSERT INTO comments (id, html, text, todo_id) VALUES ('or-c', 'x', 'x', 'or3');
DELETE FROM comments WHERE id = 'or-c';
COMMIT;
DELETE FROM tags WHERE id = 'or-g';
