-- A date under another name is none of Blue's; under its own again it is what it was, or what it became meanwhile.
-- given
INSERT INTO todos (id, title, dued_at, todo_list_id) VALUES
    ('a1', 'Touched', '2026-06-01', 'backlog'), ('a2', 'Left alone', '2026-06-01', 'backlog');
-- when
ALTER TABLE todos RENAME dued_at TO due_date;
UPDATE todos SET updated_at = '2026-02-02T00:00:00Z' WHERE id = 'a1';
UPDATE todos SET title = 'Renamed' WHERE id = 'a1';
UPDATE todos SET due_date = '2026-06-02' WHERE id = 'a1';
ALTER TABLE todos RENAME due_date TO dued_at;
UPDATE todos SET updated_at = '2026-03-03T00:00:00Z' WHERE id IN ('a1', 'a2');
UPDATE todos SET dued_at = '2026-06-03' WHERE id = 'a1';
UPDATE todos SET dued_at = NULL WHERE id = 'a2';
