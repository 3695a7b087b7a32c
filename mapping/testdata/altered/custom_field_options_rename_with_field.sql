-- The same, with the field itself touched in the same transaction.
-- given
INSERT INTO custom_fields (id, name, type, project_id) VALUES ('ag', 'Stage', 'SELECT_SINGLE', 'web');
INSERT INTO custom_field_options (id, title, custom_field_id) VALUES ('ag-a', 'A', 'ag');
-- when
ALTER TABLE custom_field_options RENAME custom_field_id TO cf;
BEGIN;
UPDATE custom_field_options SET updated_at = '2026-02-02T00:00:00Z' WHERE id = 'ag-a';
UPDATE custom_fields SET updated_at = '2026-02-02T00:00:00Z' WHERE id = 'ag';
COMMIT;
ALTER TABLE custom_field_options RENAME cf TO custom_field_id;
BEGIN;
UPDATE custom_field_options SET updated_at = '2026-03-03T00:00:00Z' WHERE id = 'ag-a';
UPDATE custom_fields SET updated_at = '2026-03-03T00:00:00Z' WHERE id = 'ag';
COMMIT;
UPDATE custom_fields SET name = 'Phase' WHERE id = 'ag';
