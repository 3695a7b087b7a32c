-- Nobody comes or goes because the column that names them does.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('a5', 'Team', 'backlog');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('a5-ben', 'a5', 'ben');
-- when
ALTER TABLE todo_users RENAME user_id TO member_id;
UPDATE todo_users SET updated_at = '2026-02-02T00:00:00Z' WHERE id = 'a5-ben';
ALTER TABLE todo_users RENAME member_id TO user_id;
UPDATE todo_users SET updated_at = '2026-03-03T00:00:00Z' WHERE id = 'a5-ben';
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('a5-cy', 'a5', 'cy');
DELETE FROM todo_users WHERE id = 'a5-ben';
