-- A todo and what stands around it change in one transaction: each value is of one moment.
-- given
INSERT INTO companies (id, slug, name) VALUES ('wp', 'wp', 'Old company');
INSERT INTO projects (id, slug, name, company_id) VALUES ('wp-p', 'p', 'Old project', 'wp');
INSERT INTO todo_lists (id, title, project_id) VALUES ('wp-l', 'Old list', 'wp-p');
INSERT INTO users (id, email, first_name) VALUES ('wp-u', 'wp@example.com', 'Old');
INSERT INTO todos (id, title, todo_list_id) VALUES ('wp-t', 'Old', 'wp-l');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('wp-tu', 'wp-t', 'wp-u');
-- when
BEGIN;
UPDATE todos SET done = true WHERE id = 'wp-t';
UPDATE companies SET name = 'New company' WHERE id = 'wp';
UPDATE projects SET name = 'New project' WHERE id = 'wp-p';
UPDATE users SET first_name = 'New' WHERE id = 'wp-u';
UPDATE todo_lists SET title = 'New list' WHERE id = 'wp-l';
COMMIT;
DELETE FROM todo_lists WHERE id = 'wp-l';
DELETE FROM users WHERE id = 'wp-u';
