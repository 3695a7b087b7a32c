-- Inserted and deleted in one transaction; changed and changed back.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t18', 'Stays', 'backlog');
-- when
BEGIN;
INSERT INTO todos (id, title, todo_list_id) VALUES ('t19', 'Never', 'backlog');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('t19-1', 't19', 'ben');
UPDATE todos SET title = 'Other' WHERE id = 't18';
UPDATE todos SET title = 'Stays' WHERE id = 't18';
DELETE FROM todos WHERE id = 't19';
COMMIT;
