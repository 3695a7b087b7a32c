-- One row, one statement, several events, in the order of the event table.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t13', 'Old', 'backlog');
-- when
UPDATE todos SET done = true, title = 'New', todo_list_id = 'doing', started_at = '2026-01-01' WHERE id = 't13';
