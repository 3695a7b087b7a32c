-- What a todo has follows it to its new key: it is created with all of it, and nobody was added. Two todos that change
-- keys with each other, here names too, are what has changed under each key.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES
    ('kx', 'Renumbered', 'backlog'), ('kp', 'P', 'backlog'), ('kq', 'Q', 'backlog');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('kx-u', 'kx', 'ben');
INSERT INTO comments (id, html, text, todo_id) VALUES ('kx-c', 'x', 'x', 'kx');
-- when
SET session_replication_role = replica;
BEGIN;
UPDATE todos SET id = 'ky' WHERE id = 'kx';
UPDATE todo_users SET todo_id = 'ky' WHERE todo_id = 'kx';
UPDATE comments SET todo_id = 'ky' WHERE todo_id = 'kx';
COMMIT;
BEGIN;
UPDATE todos SET id = 'k0' WHERE id = 'kp';
UPDATE todos SET id = 'kp' WHERE id = 'kq';
UPDATE todos SET id = 'kq' WHERE id = 'k0';
COMMIT;
RESET session_replication_role;
