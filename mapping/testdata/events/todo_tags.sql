-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t10', 'Tagged', 'backlog');
-- when
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('t10-1', 't10', 'later');
DELETE FROM todo_tags WHERE id = 't10-1';
