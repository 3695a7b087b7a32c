-- One statement changes many rows out of another table; one WITH changes two rows in two ways.
-- given
INSERT INTO todo_lists (id, title, project_id) VALUES ('uf', 'From', 'web'), ('ug', 'Also from', 'app');
INSERT INTO todos (id, title, todo_list_id) VALUES ('uf1', 'One', 'uf'), ('uf2', 'Two', 'uf'), ('uf3', 'Three', 'ug');
-- when
SET enable_hashjoin = off; SET enable_mergejoin = off; -- the plan is the order of the rows
UPDATE todos t SET title = l.title || ' ' || t.title FROM todo_lists l WHERE l.id = t.todo_list_id AND t.id LIKE 'uf_';
WITH gone AS (DELETE FROM todos WHERE id = 'uf1' RETURNING title)
UPDATE todos SET title = gone.title FROM gone WHERE id = 'uf2';
DELETE FROM todo_lists WHERE id = 'uf';
DELETE FROM todo_lists WHERE id = 'ug';
