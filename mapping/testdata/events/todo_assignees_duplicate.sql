-- A pair with two rows is one pair: it comes with the first and goes with the last.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('dup', 'Twice', 'backlog');
-- when
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('dup-1', 'dup', 'ben'), ('dup-2', 'dup', 'ben');
DELETE FROM todo_users WHERE id = 'dup-1';
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('dup-3', 'dup', 'ben');
UPDATE todo_users SET user_id = 'cy' WHERE id = 'dup-3';
DELETE FROM todo_users WHERE todo_id = 'dup';
DELETE FROM todos WHERE id = 'dup';
