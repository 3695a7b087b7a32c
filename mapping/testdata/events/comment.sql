-- A comment appears, is edited, and is soft-deleted as Blue does it: blanked and marked. Its end fires nothing more.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t23', 'Discussed', 'backlog');
-- when
INSERT INTO comments (id, html, text, todo_id, user_id) VALUES ('c1', '<p>Hi</p>', 'Hi', 't23', 'ben');
UPDATE comments SET html = '<p>Hello</p>', text = 'Hello' WHERE id = 'c1';
UPDATE comments SET html = '', text = '', deleted_at = '2026-02-02T02:02:02.020Z' WHERE id = 'c1';
UPDATE comments SET text = 'unseen' WHERE id = 'c1';
DELETE FROM comments WHERE id = 'c1';
