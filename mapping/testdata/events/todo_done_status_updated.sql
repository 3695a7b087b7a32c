-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t5', 'Do', 'backlog');
-- when
UPDATE todos SET done = true WHERE id = 't5';
UPDATE todos SET done = false WHERE id = 't5';
