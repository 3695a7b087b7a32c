-- One comes, one changes into another (removed and added), one goes.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t7', 'Team', 'backlog');
-- when
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('t7-a', 't7', 'ben');
UPDATE todo_users SET user_id = 'cy' WHERE id = 't7-a';
DELETE FROM todo_users WHERE id = 't7-a';
