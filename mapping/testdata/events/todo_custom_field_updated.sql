-- A value set, changed, touched (nothing), its option replaced, and gone.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t12', 'Valued', 'backlog');
-- when
INSERT INTO todo_custom_fields (id, number, todo_id, custom_field_id) VALUES ('t12-1', 1e3, 't12', 'price');
UPDATE todo_custom_fields SET number = 999.99 WHERE id = 't12-1';
UPDATE todo_custom_fields SET updated_at = '2026-02-02T00:00:00Z' WHERE id = 't12-1';
BEGIN;
INSERT INTO todo_custom_fields (id, todo_id, custom_field_id) VALUES ('t12-2', 't12', 'size');
INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id) VALUES ('t12-3', 't12-2', 'small');
COMMIT;
BEGIN;
DELETE FROM todo_custom_field_options WHERE id = 't12-3';
INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id) VALUES ('t12-4', 't12-2', 'large');
COMMIT;
DELETE FROM todo_custom_fields WHERE id = 't12-2';
