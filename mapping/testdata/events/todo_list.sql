-- A list appears, is renamed, goes; the todo that goes with it tells its own end.
-- when
INSERT INTO todo_lists (id, title, position, project_id) VALUES ('l1', 'New list', 131070, 'app');
UPDATE todo_lists SET title = 'Renamed list' WHERE id = 'l1';
INSERT INTO todos (id, title, todo_list_id) VALUES ('t22', 'In it', 'l1');
DELETE FROM todo_lists WHERE id = 'l1';
