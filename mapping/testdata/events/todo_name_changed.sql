-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t4', 'Old', 'backlog');
-- when
UPDATE todos SET title = 'New' WHERE id = 't4';
