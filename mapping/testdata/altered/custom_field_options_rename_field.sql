-- A field whose options are not known for a while has not changed.
-- given
INSERT INTO custom_fields (id, name, type, project_id) VALUES ('af', 'Stage', 'SELECT_SINGLE', 'web');
INSERT INTO custom_field_options (id, title, custom_field_id) VALUES ('af-a', 'A', 'af');
-- when
ALTER TABLE custom_field_options RENAME custom_field_id TO cf;
UPDATE custom_field_options SET updated_at = '2026-02-02T00:00:00Z' WHERE id = 'af-a';
ALTER TABLE custom_field_options RENAME cf TO custom_field_id;
UPDATE custom_field_options SET updated_at = '2026-03-03T00:00:00Z' WHERE id = 'af-a';
UPDATE custom_field_options SET title = 'B' WHERE id = 'af-a';
