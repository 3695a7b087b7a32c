-- An option that a todo has chosen is renamed: the field has changed, the todo's value has not; it goes: both have.
-- given
INSERT INTO custom_fields (id, name, type, project_id) VALUES ('cod', 'Stage', 'SELECT_SINGLE', 'web');
INSERT INTO custom_field_options (id, title, custom_field_id) VALUES ('cod-a', 'A', 'cod');
INSERT INTO todos (id, title, todo_list_id) VALUES ('cod1', 'Chosen', 'backlog');
INSERT INTO todo_custom_fields (id, todo_id, custom_field_id) VALUES ('cod1-v', 'cod1', 'cod');
INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id) VALUES
    ('cod1-o', 'cod1-v', 'cod-a');
-- when
UPDATE custom_field_options SET title = 'B', position = 3 WHERE id = 'cod-a';
DELETE FROM custom_field_options WHERE id = 'cod-a';
DELETE FROM custom_fields WHERE id = 'cod';
