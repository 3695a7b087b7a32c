-- A changed key is a deletion and a creation, of whatever entity; of a relation it is nothing.
-- given
INSERT INTO todo_lists (id, title, project_id) VALUES ('kc-l', 'L', 'web');
INSERT INTO tags (id, title, project_id) VALUES ('kc-g', 'G', 'web');
INSERT INTO custom_fields (id, name, project_id) VALUES ('kc-f', 'F', 'web');
INSERT INTO todos (id, title, todo_list_id) VALUES ('kc', 'T', 'backlog');
INSERT INTO comments (id, html, text, todo_id) VALUES ('kc-c', 'x', 'x', 'kc');
INSERT INTO checklists (id, title, todo_id) VALUES ('kc-k', 'K', 'kc'), ('kc-k2', 'K2', 'kc');
INSERT INTO checklist_items (id, title, checklist_id) VALUES ('kc-i', 'I', 'kc-k2');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('kc-u', 'kc', 'ben');
INSERT INTO todo_custom_fields (id, number, todo_id, custom_field_id) VALUES ('kc-v', 1, 'kc', 'price');
-- when
UPDATE todo_lists SET id = 'kc-l2', title = 'L2' WHERE id = 'kc-l';
UPDATE tags SET id = 'kc-g2' WHERE id = 'kc-g';
UPDATE custom_fields SET id = 'kc-f2' WHERE id = 'kc-f';
UPDATE comments SET id = 'kc-c2' WHERE id = 'kc-c';
UPDATE checklists SET id = 'kc-k3' WHERE id = 'kc-k';
UPDATE checklist_items SET id = 'kc-i2' WHERE id = 'kc-i';
UPDATE todo_users SET id = 'kc-u2' WHERE id = 'kc-u';
UPDATE todo_custom_fields SET id = 'kc-v2' WHERE id = 'kc-v';
DELETE FROM todos WHERE id = 'kc';
DELETE FROM todo_lists WHERE id = 'kc-l2';
DELETE FROM tags WHERE id = 'kc-g2';
DELETE FROM custom_fields WHERE id = 'kc-f2';
