-- A field, an option of it, and the field with its options changed while it is marked deleted.
-- given
ALTER TABLE custom_fields ADD deleted_at timestamptz(3);
ALTER TABLE custom_field_options ADD deleted_at timestamptz(3);
INSERT INTO custom_fields (id, name, type, project_id) VALUES ('sf', 'Binned', 'SELECT_SINGLE', 'web');
INSERT INTO custom_field_options (id, title, position, custom_field_id) VALUES
    ('sf-a', 'A', 1, 'sf'), ('sf-b', 'B', 2, 'sf');
-- when
UPDATE custom_field_options SET deleted_at = '2026-03-03' WHERE id = 'sf-a';
UPDATE custom_field_options SET title = 'Unseen' WHERE id = 'sf-a';
UPDATE custom_field_options SET deleted_at = NULL WHERE id = 'sf-a';
UPDATE custom_fields SET deleted_at = '2026-03-03' WHERE id = 'sf';
UPDATE custom_fields SET name = 'Unseen' WHERE id = 'sf';
UPDATE custom_field_options SET title = 'Unseen too' WHERE id = 'sf-b';
DELETE FROM custom_field_options WHERE id = 'sf-b';
UPDATE custom_fields SET deleted_at = NULL WHERE id = 'sf';
DELETE FROM custom_fields WHERE id = 'sf';
ALTER TABLE custom_fields DROP deleted_at;
ALTER TABLE custom_field_options DROP deleted_at;
