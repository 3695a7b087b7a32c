-- Sorting by hand is no event.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t21', 'Sorted', 'backlog');
-- when
UPDATE todos SET position = 32767.5 WHERE id = 't21';
UPDATE todo_lists SET position = 3 WHERE id = 'backlog';
UPDATE todo_lists SET position = 1 WHERE id = 'backlog';
