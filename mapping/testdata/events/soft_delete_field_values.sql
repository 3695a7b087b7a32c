-- A value, and an option chosen in one.
-- given
ALTER TABLE todo_custom_fields ADD deleted_at timestamptz(3);
ALTER TABLE todo_custom_field_options ADD deleted_at timestamptz(3);
INSERT INTO todos (id, title, todo_list_id) VALUES ('s6', 'Valued', 'backlog');
INSERT INTO todo_custom_fields (id, todo_id, custom_field_id) VALUES ('s6-size', 's6', 'size');
INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id) VALUES
    ('s6-large', 's6-size', 'large');
-- when
UPDATE todo_custom_field_options SET deleted_at = '2026-03-03' WHERE id = 's6-large';
UPDATE todo_custom_field_options SET deleted_at = NULL WHERE id = 's6-large';
UPDATE todo_custom_fields SET deleted_at = '2026-03-03' WHERE id = 's6-size';
UPDATE todo_custom_fields SET number = 1 WHERE id = 's6-size';
DELETE FROM todo_custom_field_options WHERE id = 's6-large';
UPDATE todo_custom_fields SET deleted_at = NULL WHERE id = 's6-size';
DELETE FROM todos WHERE id = 's6';
ALTER TABLE todo_custom_fields DROP deleted_at;
ALTER TABLE todo_custom_field_options DROP deleted_at;
