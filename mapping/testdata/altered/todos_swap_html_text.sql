-- Columns that swapped names, with values that the stream leaves out: what cannot be told is left out, never null and
-- never the other's.
-- given
ALTER TABLE todos ALTER html SET STORAGE EXTERNAL, ALTER text SET STORAGE EXTERNAL;
INSERT INTO todos (id, title, html, text, todo_list_id) VALUES
    ('a11', 'Big', repeat('h', 3000), repeat('t', 3000), 'backlog');
-- when
ALTER TABLE todos RENAME html TO swap;
ALTER TABLE todos RENAME text TO html;
ALTER TABLE todos RENAME swap TO text;
UPDATE todos SET done = true WHERE id = 'a11';
UPDATE todos SET html = 'h', text = 't' WHERE id = 'a11';
UPDATE todos SET title = 'Small' WHERE id = 'a11';
ALTER TABLE todos RENAME html TO swap;
ALTER TABLE todos RENAME text TO html;
ALTER TABLE todos RENAME swap TO text;
