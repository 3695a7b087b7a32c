-- TRUNCATE of lists and of options takes all below them; what is put back as it was has not changed.
-- given
DELETE FROM todos;
DELETE FROM custom_field_options WHERE custom_field_id <> 'size';
DELETE FROM todo_lists WHERE id NOT IN ('clakt9v5t000kvt64f563l90l', 'backlog', 'doing', 'inbox');
INSERT INTO todo_lists (id, title, project_id) VALUES ('w', 'Doomed', 'app');
INSERT INTO todos (id, title, todo_list_id) VALUES ('w1', 'In it', 'w'), ('w2', 'Stays', 'doing');
INSERT INTO todo_custom_fields (id, todo_id, custom_field_id) VALUES ('w-v', 'w2', 'size');
INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id) VALUES
    ('w-o1', 'w-v', 'small'), ('w-o2', 'w-v', 'large');
INSERT INTO custom_field_options (id, title, custom_field_id) VALUES ('w', 'W', 'price');
-- when
BEGIN;
TRUNCATE custom_field_options CASCADE;
INSERT INTO custom_field_options (id, title, position, custom_field_id) VALUES
    ('small', 'S', 1, 'size'), ('large', 'L', 2, 'size');
UPDATE custom_field_options SET updated_at = '2026-02-02T00:00:00Z';
INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id) VALUES
    ('w-o3', 'w-v', 'large');
COMMIT;
BEGIN;
TRUNCATE todo_lists CASCADE;
INSERT INTO todo_lists VALUES ('clakt9v5t000kvt64f563l90l', 'df0e931e6e8f4fc2905ece9da167d2d3',
    '2022-11-17T08:29:22.000Z', '2022-11-17T08:29:22.050Z', 'ETEST', 131070, 'claksl2ye0000vtas0h0ln71e',
    'clakt90vu000bvt64hhffqleq');
INSERT INTO todo_lists (id, title, position, project_id) VALUES
    ('backlog', 'Backlog', 1, 'web'), ('doing', 'Doing', 2, 'web'), ('inbox', 'Inbox', 1, 'app');
UPDATE todo_lists SET updated_at = '2026-02-02T00:00:00Z';
COMMIT;
