-- Keyed by uid: found by id all the same, and a changed uid is a deletion and a creation.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('n1', 'Tagged', 'backlog');
-- when
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('n1-later', 'n1', 'later');
UPDATE tags SET title = 'soon' WHERE id = 'later';
UPDATE tags SET uid = 'another' WHERE id = 'later';
UPDATE todos SET done = true WHERE id = 'n1';
