-- A list in another project; its name and place are none of it.
-- given
INSERT INTO todo_lists (id, title, project_id) VALUES ('xl', 'Nomad', 'web');
-- when
UPDATE todo_lists SET title = 'Renamed', position = 7 WHERE id = 'xl';
UPDATE todo_lists SET project_id = 'app' WHERE id = 'xl';
DELETE FROM todo_lists WHERE id = 'xl';
