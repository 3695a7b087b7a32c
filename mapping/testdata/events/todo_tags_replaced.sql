-- One tag becomes another; a set replaced in both orders; a pair with two rows.
-- given
INSERT INTO tags (id, title, project_id) VALUES ('tr', 'third', 'web');
INSERT INTO todos (id, title, todo_list_id) VALUES ('tr1', 'Tagged', 'backlog');
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('tr-1', 'tr1', 'urgent'), ('tr-2', 'tr1', 'later');
-- when
UPDATE todo_tags SET tag_id = 'tr' WHERE id = 'tr-2';
BEGIN;
DELETE FROM todo_tags WHERE todo_id = 'tr1';
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('tr-3', 'tr1', 'later'), ('tr-4', 'tr1', 'urgent');
COMMIT;
BEGIN;
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('tr-5', 'tr1', 'urgent'), ('tr-6', 'tr1', 'later');
DELETE FROM todo_tags WHERE id IN ('tr-3', 'tr-4');
COMMIT;
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('tr-7', 'tr1', 'urgent');
DELETE FROM todo_tags WHERE id = 'tr-5';
UPDATE todo_tags SET updated_at = '2026-02-02T00:00:00Z' WHERE id = 'tr-7';
DELETE FROM todo_tags WHERE id = 'tr-7';
DELETE FROM todos WHERE id = 'tr1';
DELETE FROM tags WHERE id = 'tr';
