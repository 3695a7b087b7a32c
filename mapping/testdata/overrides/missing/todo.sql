-- What is nested of a missing table is left out; the key that leads there is not.
-- when
INSERT INTO todos (id, title, todo_list_id, created_by_id) VALUES ('m1', 'Lonely', 'backlog', 'ben');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('m1', 'm1', 'nobody');
INSERT INTO comments (id, html, text, todo_id, user_id) VALUES ('m1', 'x', 'x', 'm1', 'ben');
INSERT INTO checklists (id, title, todo_id) VALUES ('m1', 'Steps', 'm1');
INSERT INTO todo_custom_fields (id, todo_id, custom_field_id) VALUES ('m1', 'm1', 'size');
INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id) VALUES ('m1', 'm1', 'small');
UPDATE custom_fields SET name = 'How big' WHERE id = 'size';
UPDATE tags SET title = 'now' WHERE id = 'urgent';
UPDATE todo_lists SET title = 'Waiting' WHERE id = 'backlog';
DELETE FROM todos WHERE id = 'm1';
