-- Created and then changed in one transaction is created, as it became; changed and then deleted is deleted, as it
-- was.
-- when
BEGIN;
INSERT INTO todos (id, title, todo_list_id) VALUES ('cc', 'Draft', 'backlog');
UPDATE todos SET title = 'Final', done = true, dued_at = '2026-06-01' WHERE id = 'cc';
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('cc-ben', 'cc', 'ben'), ('cc-cy', 'cc', 'cy');
UPDATE todos SET todo_list_id = 'doing' WHERE id = 'cc';
DELETE FROM todo_users WHERE id = 'cc-ben';
COMMIT;
BEGIN;
UPDATE todos SET title = 'Unseen' WHERE id = 'cc';
DELETE FROM todo_users WHERE id = 'cc-cy';
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('cc-urgent', 'cc', 'urgent');
DELETE FROM todos WHERE id = 'cc';
COMMIT;
