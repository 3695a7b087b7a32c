-- A prepared transaction is told when it is committed, after what was committed meanwhile; rolled back it never was.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('pt', 'Old', 'backlog'), ('pt2', 'Old', 'backlog');
-- when
BEGIN;
UPDATE todos SET title = 'Prepared' WHERE id = 'pt';
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('pt-ben', 'pt', 'ben');
PREPARE TRANSACTION 'first';
BEGIN;
DELETE FROM todos WHERE id = 'pt2';
PREPARE TRANSACTION 'never';
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('pt-cy', 'pt', 'cy');
COMMIT PREPARED 'first';
ROLLBACK PREPARED 'never';
