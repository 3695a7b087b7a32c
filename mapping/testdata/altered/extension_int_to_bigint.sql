-- The same number in a wider type is no change, another number is one.
-- given
ALTER TABLE todos ADD estimate int;
INSERT INTO todos (id, title, estimate, todo_list_id) VALUES
    ('a9', 'Estimated', 3, 'backlog'), ('a10', 'Estimated', 3, 'backlog');
-- when
ALTER TABLE todos ALTER estimate TYPE bigint;
UPDATE todos SET updated_at = '2026-02-02T00:00:00Z' WHERE id = 'a9';
UPDATE todos SET estimate = 4 WHERE id = 'a9';
UPDATE todos SET estimate = 9007199254740993 WHERE id = 'a10';
ALTER TABLE todos DROP estimate;
