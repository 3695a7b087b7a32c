-- html alone and text alone are an edit.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('ce', 'Discussed', 'backlog');
INSERT INTO comments (id, html, text, todo_id, user_id) VALUES ('ce-c', 'x', 'x', 'ce', 'ben');
-- when
UPDATE comments SET html = '<b>x</b>' WHERE id = 'ce-c';
UPDATE comments SET text = 'y' WHERE id = 'ce-c';
DELETE FROM comments WHERE id = 'ce-c';
