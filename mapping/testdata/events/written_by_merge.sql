-- MERGE changes one row, deletes another and inserts a third; before PostgreSQL 15 three statements do it.
-- given
INSERT INTO todo_lists (id, title, project_id) VALUES ('mg', 'Merged', 'web');
INSERT INTO todos (id, title, todo_list_id) VALUES ('mg1', 'Old', 'mg'), ('mg2', 'Goes', 'mg');
-- when
SET enable_hashjoin = off; SET enable_mergejoin = off; -- the plan is the order of the rows
SELECT current_setting('server_version_num')::int >= 150000 AS merge \gset
\if :merge
MERGE INTO todos t USING (VALUES ('mg1', 'New'), ('mg2', NULL), ('mg3', 'Comes')) AS s (id, title) ON t.id = s.id
WHEN MATCHED AND s.title IS NULL THEN DELETE
WHEN MATCHED THEN UPDATE SET title = s.title
WHEN NOT MATCHED THEN INSERT (id, title, todo_list_id) VALUES (s.id, s.title, 'mg');
\else
BEGIN;
UPDATE todos SET title = 'New' WHERE id = 'mg1';
DELETE FROM todos WHERE id = 'mg2';
INSERT INTO todos (id, title, todo_list_id) VALUES ('mg3', 'Comes', 'mg');
COMMIT;
\endif
DELETE FROM todos WHERE id = 'mg1';
DELETE FROM todos WHERE id = 'mg3';
DELETE FROM todo_lists WHERE id = 'mg';
