-- A row that TRUNCATE deletes and the same transaction inserts again has changed; a TRUNCATE rolled back was none;
-- what
-- was put there between two is nothing.
-- given
DELETE FROM comments;
INSERT INTO todos (id, title, todo_list_id) VALUES ('x', 'Discussed', 'backlog');
INSERT INTO comments (id, html, text, todo_id) VALUES ('x1', 'x', 'Old', 'x'), ('x2', 'x', 'Same', 'x');
-- when
BEGIN;
TRUNCATE comments;
INSERT INTO comments (id, html, text, todo_id) VALUES ('x1', 'x', 'New', 'x'), ('x2', 'x', 'Same', 'x');
COMMIT;
BEGIN;
SAVEPOINT s;
TRUNCATE comments;
ROLLBACK TO s;
UPDATE comments SET text = 'Newer' WHERE id = 'x1';
COMMIT;
BEGIN;
TRUNCATE comments;
INSERT INTO comments (id, html, text, todo_id) VALUES ('x1', 'x', 'Unseen', 'x'), ('x3', 'x', 'Never', 'x');
TRUNCATE comments;
COMMIT;
