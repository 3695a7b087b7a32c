-- A value that the stream leaves out, under a name that the mirror does not know it by, is left out.
-- given
ALTER TABLE todos ALTER html SET STORAGE EXTERNAL;
INSERT INTO todos (id, title, html, todo_list_id) VALUES ('a12', 'Big', repeat('h', 3000), 'backlog');
-- when
ALTER TABLE todos RENAME html TO body;
UPDATE todos SET done = true WHERE id = 'a12';
UPDATE todos SET body = 'small' WHERE id = 'a12';
UPDATE todos SET done = false WHERE id = 'a12';
ALTER TABLE todos RENAME body TO html;
