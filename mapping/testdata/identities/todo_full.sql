-- REPLICA IDENTITY FULL: under a column's new name the mirror has no value of it, the old row of the stream has.
-- given
INSERT INTO todos (id, title, html, todo_list_id)
SELECT 'n4', 'Big', string_agg(md5(i::text), '' ORDER BY i), 'backlog' FROM generate_series(1, 100) i;
ALTER TABLE todos ALTER html SET STORAGE EXTERNAL;
INSERT INTO todos (id, title, html, todo_list_id) VALUES ('n5', 'Big', repeat('x', 3000), 'backlog');
ALTER TABLE todos RENAME html TO body;
-- when
UPDATE todos SET done = true WHERE id = 'n4';
UPDATE todos SET done = true WHERE id = 'n5';
ALTER TABLE todos RENAME body TO html;
