-- Another type of text is no other title, and a changed title is one all the same.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('a7', 'Old', 'backlog'), ('a8', 'Old', 'backlog');
-- when
ALTER TABLE todos ALTER title TYPE varchar(99);
UPDATE todos SET updated_at = '2026-02-02T00:00:00Z' WHERE id = 'a7';
UPDATE todos SET title = 'New' WHERE id = 'a7';
UPDATE todos SET title = 'New' WHERE id = 'a8';
ALTER TABLE todos ALTER title TYPE text;
