-- Whatever is born marked deleted, changed and ended so, is nothing; a mark and its change in one statement is a
-- deletion.
-- given
ALTER TABLE todo_lists ADD deleted_at timestamptz(3);
ALTER TABLE checklists ADD deleted_at timestamptz(3);
ALTER TABLE checklist_items ADD deleted_at timestamptz(3);
ALTER TABLE tags ADD deleted_at timestamptz(3);
ALTER TABLE custom_fields ADD deleted_at timestamptz(3);
INSERT INTO todos (id, title, todo_list_id) VALUES ('sb', 'Checked', 'backlog');
INSERT INTO checklists (id, title, todo_id) VALUES ('sb-k', 'K', 'sb');
-- when
INSERT INTO todo_lists (id, title, project_id, deleted_at) VALUES ('sb1', 'L', 'web', '2026-03-03');
INSERT INTO checklists (id, title, todo_id, deleted_at) VALUES ('sb1', 'K', 'sb', '2026-03-03');
INSERT INTO checklist_items (id, title, checklist_id, deleted_at) VALUES ('sb1', 'I', 'sb-k', '2026-03-03');
INSERT INTO tags (id, title, project_id, deleted_at) VALUES ('sb1', 'G', 'web', '2026-03-03');
INSERT INTO custom_fields (id, name, project_id, deleted_at) VALUES ('sb1', 'F', 'web', '2026-03-03');
UPDATE todo_lists SET title = 'Unseen', deleted_at = '2026-03-04' WHERE id = 'sb1';
UPDATE checklists SET title = 'Unseen', id = 'sb2' WHERE id = 'sb1';
UPDATE checklist_items SET title = 'Unseen', done = true WHERE id = 'sb1';
UPDATE tags SET title = 'Unseen' WHERE id = 'sb1';
UPDATE custom_fields SET name = 'Unseen' WHERE id = 'sb1';
INSERT INTO custom_field_options (id, title, custom_field_id) VALUES ('sb1', 'Unseen', 'sb1');
DELETE FROM todo_lists WHERE id = 'sb1';
DELETE FROM checklists WHERE id = 'sb2';
DELETE FROM checklist_items WHERE id = 'sb1';
DELETE FROM tags WHERE id = 'sb1';
DELETE FROM custom_fields WHERE id = 'sb1';
BEGIN;
INSERT INTO tags (id, title, project_id) VALUES ('sb3', 'Never', 'web');
UPDATE tags SET deleted_at = '2026-03-03' WHERE id = 'sb3';
COMMIT;
BEGIN;
UPDATE checklists SET deleted_at = '2026-03-03' WHERE id = 'sb-k';
UPDATE checklists SET deleted_at = NULL WHERE id = 'sb-k';
COMMIT;
UPDATE checklists SET title = 'Unseen', deleted_at = '2026-03-03' WHERE id = 'sb-k';
UPDATE checklists SET title = 'Back', deleted_at = NULL WHERE id = 'sb-k';
DELETE FROM todos WHERE id = 'sb';
DELETE FROM tags WHERE id = 'sb3';
ALTER TABLE todo_lists DROP deleted_at;
ALTER TABLE checklists DROP deleted_at;
ALTER TABLE checklist_items DROP deleted_at;
ALTER TABLE tags DROP deleted_at;
ALTER TABLE custom_fields DROP deleted_at;
