-- A set replaced by itself is no event.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t9', 'Same', 'backlog');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('t9-1', 't9', 'ben'), ('t9-2', 't9', 'cy');
-- when
BEGIN;
DELETE FROM todo_users WHERE todo_id = 't9';
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('t9-3', 't9', 'cy'), ('t9-4', 't9', 'ben');
COMMIT;
