-- Who has a tag that is marked deleted keeps it: a parent is nested as it is.
-- given
ALTER TABLE tags ADD deleted_at timestamptz(3);
INSERT INTO tags (id, title, project_id) VALUES ('sg', 'binned', 'web');
INSERT INTO todos (id, title, todo_list_id) VALUES ('s7', 'Tagged', 'backlog');
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('s7-sg', 's7', 'sg');
-- when
UPDATE tags SET deleted_at = '2026-03-03' WHERE id = 'sg';
UPDATE tags SET color = '#000000' WHERE id = 'sg';
UPDATE todos SET done = true WHERE id = 's7';
UPDATE tags SET deleted_at = NULL WHERE id = 'sg';
UPDATE tags SET deleted_at = '2026-03-04' WHERE id = 'sg';
DELETE FROM tags WHERE id = 'sg';
ALTER TABLE tags DROP deleted_at;
