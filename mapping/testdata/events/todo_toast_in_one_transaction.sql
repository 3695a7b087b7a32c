-- A large text is known to the end of its transaction and under its next key, though the stream sends it only once.
-- given
ALTER TABLE todos ALTER text SET STORAGE EXTERNAL;
-- when
BEGIN;
INSERT INTO todos (id, title, text, todo_list_id) VALUES ('tt', 'Draft', repeat('large', 500), 'backlog');
UPDATE todos SET title = 'Final' WHERE id = 'tt';
INSERT INTO comments (id, html, text, todo_id) VALUES ('tt', 'x', 'x', 'tt');
DELETE FROM comments WHERE id = 'tt';
COMMIT;
BEGIN;
UPDATE todos SET id = 'tt2' WHERE id = 'tt';
UPDATE todos SET done = true WHERE id = 'tt2';
COMMIT;
DELETE FROM todos WHERE id = 'tt2';
ALTER TABLE todos ALTER text SET STORAGE EXTENDED;
