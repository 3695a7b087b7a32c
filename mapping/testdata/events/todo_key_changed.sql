-- A changed key is a deletion and a creation.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t14', 'Renumbered', 'backlog');
-- when
UPDATE todos SET id = 't14b' WHERE id = 't14';
