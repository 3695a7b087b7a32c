-- What a savepoint keeps counts, what it rolls back does not, within one row too.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('sp1', 'One', 'backlog'), ('sp2', 'Two', 'backlog');
-- when
BEGIN;
UPDATE todos SET title = 'One, kept' WHERE id = 'sp1';
SAVEPOINT a;
UPDATE todos SET done = true WHERE id = 'sp1';
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('sp1-ben', 'sp1', 'ben');
SAVEPOINT b;
DELETE FROM todos WHERE id = 'sp2';
ROLLBACK TO b;
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('sp2-cy', 'sp2', 'cy');
ROLLBACK TO a;
SAVEPOINT c;
UPDATE todos SET title = 'Two, kept' WHERE id = 'sp2';
RELEASE c;
COMMIT;
