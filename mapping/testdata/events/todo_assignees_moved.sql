-- A row of a pair that names another todo, then another todo and another user: gone from one, come to the other.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('am1', 'From', 'backlog'), ('am2', 'To', 'doing');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('am-ben', 'am1', 'ben');
-- when
UPDATE todo_users SET todo_id = 'am2' WHERE id = 'am-ben';
UPDATE todo_users SET todo_id = 'am1', user_id = 'cy' WHERE id = 'am-ben';
UPDATE todo_users SET id = 'am-cy' WHERE id = 'am-ben';
