-- Checklists, items and comments that go with their todo tell their own end; their people, and the todo's, do not.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('td', 'Gone', 'doing');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('td-u', 'td', 'cy');
INSERT INTO todo_custom_fields (id, number, todo_id, custom_field_id) VALUES ('td-v', 1.50, 'td', 'price');
INSERT INTO checklists (id, title, todo_id) VALUES ('td-k', 'Steps', 'td');
INSERT INTO checklist_items (id, title, position, checklist_id) VALUES
    ('td-2', 'Two', 2, 'td-k'), ('td-1', 'One', 1, 'td-k');
INSERT INTO checklist_item_users (id, checklist_item_id, user_id) VALUES ('td-iu', 'td-1', 'ben');
INSERT INTO comments (id, html, text, todo_id, user_id) VALUES ('td-c', 'x', 'x', 'td', 'ben');
-- when
DELETE FROM todos WHERE id = 'td';
