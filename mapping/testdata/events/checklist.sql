-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t25', 'Checked', 'backlog');
-- when
INSERT INTO checklists (id, title, todo_id, created_by_id) VALUES ('k1', 'Steps', 't25', 'ben');
UPDATE checklists SET title = 'All steps' WHERE id = 'k1';
UPDATE checklists SET position = 2 WHERE id = 'k1';
DELETE FROM checklists WHERE id = 'k1';
