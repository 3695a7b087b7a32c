-- Values deleted and inserted again are the same values, in whatever order their options come; of those that are not,
-- each is one event, whether its row, its options or both changed.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('fr', 'Valued', 'backlog');
INSERT INTO todo_custom_fields (id, number, todo_id, custom_field_id) VALUES ('fr-1', 5, 'fr', 'price');
INSERT INTO todo_custom_fields (id, todo_id, custom_field_id) VALUES ('fr-2', 'fr', 'size');
INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id) VALUES
    ('fr-a', 'fr-2', 'small'), ('fr-b', 'fr-2', 'large');
-- when
BEGIN;
DELETE FROM todo_custom_fields WHERE todo_id = 'fr';
INSERT INTO todo_custom_fields (id, todo_id, custom_field_id) VALUES ('fr-3', 'fr', 'size');
INSERT INTO todo_custom_fields (id, number, todo_id, custom_field_id) VALUES ('fr-4', 5, 'fr', 'price');
INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id) VALUES
    ('fr-c', 'fr-3', 'large'), ('fr-d', 'fr-3', 'small');
COMMIT;
UPDATE todo_custom_field_options SET updated_at = '2026-02-02T00:00:00Z' WHERE id = 'fr-c';
BEGIN;
DELETE FROM todo_custom_field_options WHERE id = 'fr-c';
UPDATE todo_custom_fields SET text = 'one size' WHERE id = 'fr-3';
UPDATE todo_custom_fields SET number = 6, currency = 'EUR' WHERE id = 'fr-4';
COMMIT;
UPDATE todo_custom_field_options SET custom_field_option_id = 'large' WHERE id = 'fr-d';
DELETE FROM todo_custom_field_options WHERE id = 'fr-d';
