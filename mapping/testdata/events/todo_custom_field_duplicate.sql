-- A pair with two value rows: one event for what changes in either, none for two that change places.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('fd', 'Valued', 'backlog');
INSERT INTO todo_custom_fields (id, number, todo_id, custom_field_id) VALUES
    ('fd-1', 1, 'fd', 'price'), ('fd-2', 2, 'fd', 'price');
-- when
BEGIN;
UPDATE todo_custom_fields SET number = 2 WHERE id = 'fd-1';
UPDATE todo_custom_fields SET number = 1 WHERE id = 'fd-2';
COMMIT;
UPDATE todo_custom_fields SET number = number + 2 WHERE todo_id = 'fd';
DELETE FROM todo_custom_fields WHERE id = 'fd-2';
