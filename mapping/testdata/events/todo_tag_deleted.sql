-- A tag that goes takes its relations with it.
-- given
INSERT INTO tags (id, title, project_id) VALUES ('doomed', 'doomed', 'web');
INSERT INTO todos (id, title, todo_list_id) VALUES ('t11', 'Tagged', 'backlog');
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('t11-1', 't11', 'doomed');
-- when
DELETE FROM tags WHERE id = 'doomed';
