-- A todo marked deleted is a deletion, its children tell nothing, changes of it and of what it has are nothing, not
-- marked any more it is a creation; its end while it is marked is nothing, but that of its checklist and comment is.
-- given
ALTER TABLE todos ADD deleted_at timestamptz(3);
INSERT INTO todos (id, title, todo_list_id) VALUES ('s1', 'Binned', 'backlog');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('s1-ben', 's1', 'ben');
INSERT INTO checklists (id, title, todo_id) VALUES ('s1-k', 'Steps', 's1');
INSERT INTO comments (id, html, text, todo_id) VALUES ('s1-c', 'x', 'x', 's1');
-- when
UPDATE todos SET deleted_at = '2026-03-03' WHERE id = 's1';
UPDATE todos SET title = 'Unseen', done = true WHERE id = 's1';
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('s1-cy', 's1', 'cy');
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('s1-urgent', 's1', 'urgent');
INSERT INTO todo_custom_fields (id, number, todo_id, custom_field_id) VALUES ('s1-price', 1, 's1', 'price');
DELETE FROM todo_users WHERE id = 's1-ben';
INSERT INTO todos (id, title, todo_list_id, deleted_at) VALUES ('s2', 'Born deleted', 'backlog', '2026-03-03');
BEGIN;
UPDATE todos SET deleted_at = NULL WHERE id = 's1';
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('s1-ben', 's1', 'ben');
COMMIT;
BEGIN;
UPDATE todos SET deleted_at = '2026-03-04' WHERE id = 's1';
DELETE FROM todo_users WHERE todo_id = 's1';
COMMIT;
DELETE FROM todos WHERE id IN ('s1', 's2');
ALTER TABLE todos DROP deleted_at;
