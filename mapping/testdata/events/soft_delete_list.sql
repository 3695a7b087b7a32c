-- A todo's list is nested as it is, deleted or not.
-- given
ALTER TABLE todo_lists ADD deleted_at timestamptz(3);
INSERT INTO todo_lists (id, title, project_id) VALUES ('sl', 'Binned', 'web');
INSERT INTO todos (id, title, todo_list_id) VALUES ('s3', 'In it', 'sl');
-- when
UPDATE todo_lists SET deleted_at = '2026-03-03' WHERE id = 'sl';
UPDATE todo_lists SET title = 'Unseen' WHERE id = 'sl';
UPDATE todos SET done = true WHERE id = 's3';
UPDATE todo_lists SET deleted_at = NULL WHERE id = 'sl';
DELETE FROM todos WHERE id = 's3';
DELETE FROM todo_lists WHERE id = 'sl';
ALTER TABLE todo_lists DROP deleted_at;
