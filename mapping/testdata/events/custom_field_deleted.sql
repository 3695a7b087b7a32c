-- A field goes, and with it the values of two todos: theirs have changed. Its options are told by its last value.
-- given
INSERT INTO custom_fields (id, name, type, project_id) VALUES ('cfd', 'Doomed', 'SELECT_SINGLE', 'web');
INSERT INTO custom_field_options (id, title, position, custom_field_id) VALUES
    ('cfd-a', 'A', 1, 'cfd'), ('cfd-b', 'B', 2, 'cfd');
INSERT INTO todos (id, title, todo_list_id) VALUES ('cfd1', 'One', 'backlog'), ('cfd2', 'Two', 'doing');
INSERT INTO todo_custom_fields (id, text, todo_id, custom_field_id) VALUES
    ('cfd1-v', NULL, 'cfd1', 'cfd'), ('cfd2-v', 'x', 'cfd2', 'cfd');
INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id) VALUES
    ('cfd1-o', 'cfd1-v', 'cfd-b');
-- when
DELETE FROM custom_fields WHERE id = 'cfd';
