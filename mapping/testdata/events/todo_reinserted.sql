-- Deleted and inserted again under the same key is changed, and so is the set that went with it.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('re', 'Old', 'backlog');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('re-ben', 're', 'ben'), ('re-cy', 're', 'cy');
INSERT INTO comments (id, html, text, todo_id) VALUES ('re-c', 'x', 'x', 're');
-- when
BEGIN;
DELETE FROM todos WHERE id = 're';
INSERT INTO todos (id, title, todo_list_id) VALUES ('re', 'New', 'backlog');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('re-cy2', 're', 'cy');
COMMIT;
