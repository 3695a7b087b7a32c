-- A value moved to another field, then to another todo: gone from one pair, come to the other.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t32', 'From', 'backlog'), ('t33', 'To', 'backlog');
INSERT INTO todo_custom_fields (id, number, todo_id, custom_field_id) VALUES ('t32-1', 5, 't32', 'price');
-- when
UPDATE todo_custom_fields SET custom_field_id = 'size' WHERE id = 't32-1';
UPDATE todo_custom_fields SET todo_id = 't33' WHERE id = 't32-1';
