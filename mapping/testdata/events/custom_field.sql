-- A field appears, a column changes, an option comes, changes, goes (with the field changed in one transaction: one
-- event), and the field goes with its options: one event.
-- when
INSERT INTO custom_fields (id, name, type, project_id) VALUES ('f1', 'Stage', 'SELECT_SINGLE', 'web');
UPDATE custom_fields SET description = 'How far' WHERE id = 'f1';
INSERT INTO custom_field_options (id, title, custom_field_id) VALUES ('o1', 'Lead', 'f1'), ('o2', 'Won', 'f1');
UPDATE custom_field_options SET color = '#000000' WHERE id = 'o1';
BEGIN;
DELETE FROM custom_field_options WHERE id = 'o1';
UPDATE custom_fields SET name = 'Phase' WHERE id = 'f1';
COMMIT;
DELETE FROM custom_fields WHERE id = 'f1';
