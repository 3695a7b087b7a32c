-- Blue's short form: a todo comes with all that belongs to it, changes in itself several times over, and goes: one event
-- a transaction, with its creator only when it comes.
-- when
BEGIN;
INSERT INTO todos (id, title, todo_list_id, created_by_id) VALUES ('r1', 'Write', 'backlog', 'ben');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('r1-cy', 'r1', 'cy');
UPDATE todos SET title = 'Write it' WHERE id = 'r1';
COMMIT;
UPDATE todos SET done = true, position = 3, todo_list_id = 'inbox' WHERE id = 'r1';
UPDATE todos SET updated_at = '2026-02-01' WHERE id = 'r1';
DELETE FROM todos WHERE id = 'r1';
INSERT INTO todos (id, title, todo_list_id) VALUES ('r2', 'Nobody made it', 'backlog');
