-- A relation marked deleted is removed, not marked any more added, and replaced by a live one of the same pair nothing.
-- given
ALTER TABLE todo_users ADD deleted_at timestamptz(3);
ALTER TABLE todo_tags ADD deleted_at timestamptz(3);
INSERT INTO todos (id, title, todo_list_id) VALUES ('s5', 'Related', 'backlog');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('s5-ben', 's5', 'ben');
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('s5-urgent', 's5', 'urgent');
-- when
UPDATE todo_users SET deleted_at = '2026-03-03' WHERE id = 's5-ben';
UPDATE todo_users SET deleted_at = NULL WHERE id = 's5-ben';
BEGIN;
UPDATE todo_users SET deleted_at = '2026-03-03' WHERE id = 's5-ben';
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('s5-ben2', 's5', 'ben');
COMMIT;
INSERT INTO todo_users (id, todo_id, user_id, deleted_at) VALUES ('s5-cy', 's5', 'cy', '2026-03-03');
DELETE FROM todo_users WHERE id = 's5-cy';
UPDATE todo_tags SET deleted_at = '2026-03-03' WHERE id = 's5-urgent';
UPDATE todo_tags SET deleted_at = NULL WHERE id = 's5-urgent';
UPDATE todo_tags SET deleted_at = '2026-03-03' WHERE id = 's5-urgent';
DELETE FROM todos WHERE id = 's5';
ALTER TABLE todo_users DROP deleted_at;
ALTER TABLE todo_tags DROP deleted_at;
