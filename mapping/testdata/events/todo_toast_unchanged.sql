-- A text too large for its row, which the stream leaves out of an update that does not touch it.
-- given
INSERT INTO todos (id, title, text, todo_list_id)
SELECT 't15', 'Big', string_agg(md5(i::text), '' ORDER BY i), 'backlog' FROM generate_series(1, 300) i;
-- when
UPDATE todos SET title = 'Still big' WHERE id = 't15';
DELETE FROM todos WHERE id = 't15';
