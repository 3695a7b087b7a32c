-- What rolls back, whole or to a savepoint, never was.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t16', 'Stays', 'backlog');
-- when
BEGIN;
UPDATE todos SET title = 'Never' WHERE id = 't16';
INSERT INTO todos (id, title, todo_list_id) VALUES ('t17', 'Never', 'backlog');
ROLLBACK;
BEGIN;
SAVEPOINT s;
UPDATE todos SET title = 'Never' WHERE id = 't16';
ROLLBACK TO s;
UPDATE todos SET updated_at = '2026-02-02T00:00:00Z' WHERE id = 't16';
COMMIT;
