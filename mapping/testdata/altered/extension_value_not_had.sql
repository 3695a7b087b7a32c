-- A value that could not be had and is sent after all is no change of it.
-- given
ALTER TABLE todos ALTER html SET STORAGE EXTERNAL;
INSERT INTO todos (id, title, html, todo_list_id) VALUES ('a13', 'Big', repeat('h', 3000), 'backlog');
-- when
ALTER TABLE todos RENAME html TO body;
UPDATE todos SET done = true WHERE id = 'a13';
UPDATE todos SET body = body || '' WHERE id = 'a13';
UPDATE todos SET body = 'small' WHERE id = 'a13';
ALTER TABLE todos RENAME body TO html;
