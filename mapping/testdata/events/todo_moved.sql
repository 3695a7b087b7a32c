-- To another list, then to another project.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t3', 'Nomad', 'backlog');
-- when
UPDATE todos SET todo_list_id = 'doing', position = 1 WHERE id = 't3';
UPDATE todos SET todo_list_id = 'inbox' WHERE id = 't3';
