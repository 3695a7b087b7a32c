-- A value whose field is not known for a while has not changed.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('a6', 'Valued', 'backlog');
INSERT INTO todo_custom_fields (id, number, todo_id, custom_field_id) VALUES ('a6-size', 1, 'a6', 'size');
INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id) VALUES
    ('a6-large', 'a6-size', 'large');
-- when
ALTER TABLE todo_custom_fields RENAME custom_field_id TO cf;
UPDATE todo_custom_fields SET updated_at = '2026-02-02T00:00:00Z' WHERE id = 'a6-size';
ALTER TABLE todo_custom_fields RENAME cf TO custom_field_id;
BEGIN;
UPDATE todo_custom_fields SET updated_at = '2026-03-03T00:00:00Z' WHERE id = 'a6-size';
UPDATE todo_custom_field_options SET updated_at = '2026-03-03T00:00:00Z' WHERE id = 'a6-large';
COMMIT;
UPDATE todo_custom_fields SET number = 2 WHERE id = 'a6-size';
