-- Todos and fields switched off: nothing is told of them, of who and what is theirs, and they are nested nowhere.
-- when
INSERT INTO todos (id, title, todo_list_id) VALUES ('d1', 'Unseen', 'backlog');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('d1', 'd1', 'ben');
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('d1', 'd1', 'urgent');
INSERT INTO todo_custom_fields (id, number, todo_id, custom_field_id) VALUES ('d1', 1, 'd1', 'price');
INSERT INTO comments (id, html, text, todo_id, user_id) VALUES ('d1', 'x', 'x', 'd1', 'ben');
INSERT INTO checklists (id, title, todo_id) VALUES ('d1', 'Steps', 'd1');
INSERT INTO checklist_items (id, title, checklist_id) VALUES ('d1', 'Step', 'd1');
UPDATE custom_fields SET name = 'Unseen' WHERE id = 'size';
UPDATE custom_field_options SET title = 'XL' WHERE id = 'large';
DELETE FROM todos WHERE id = 'd1';
