-- TRUNCATE deletes every mirrored row, and what the same transaction had put there is nothing.
-- given
DELETE FROM comments;
INSERT INTO todos (id, title, todo_list_id) VALUES ('t28', 'Discussed', 'backlog');
INSERT INTO comments (id, html, text, todo_id) VALUES ('c28', 'x', 'x', 't28'), ('c29', 'y', 'y', 't28');
-- when
BEGIN;
INSERT INTO comments (id, todo_id) VALUES ('c30', 't28');
TRUNCATE comments;
INSERT INTO comments (id, html, text, todo_id) VALUES ('c31', 'z', 'z', 't28');
COMMIT;
