-- Assignees, tags and custom fields are the record: one event per todo and transaction, whatever they are and however
-- many rows change; what gives the same set again gives nothing, and neither do checklists and comments.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('r3', 'Three', 'backlog'), ('r4', 'Four', 'backlog');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('r3-ben', 'r3', 'ben');
-- when
BEGIN;
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('r3-cy', 'r3', 'cy');
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('r3-later', 'r3', 'later'), ('r4-later', 'r4', 'later');
UPDATE todos SET updated_at = '2026-02-01' WHERE id = 'r3';
COMMIT;
INSERT INTO todo_custom_fields (id, todo_id, custom_field_id) VALUES ('r4-size', 'r4', 'size');
INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id) VALUES ('r4-large', 'r4-size', 'large');
BEGIN;
DELETE FROM todo_users WHERE todo_id = 'r3';
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('r3-ben-2', 'r3', 'ben'), ('r3-cy-2', 'r3', 'cy');
COMMIT;
UPDATE todo_users SET todo_id = 'r4' WHERE id = 'r3-cy-2';
INSERT INTO checklists (id, title, todo_id) VALUES ('r3-list', 'L', 'r3');
INSERT INTO comments (id, html, text, user_id, todo_id) VALUES ('r3-note', 'x', 'x', 'ben', 'r3');
DELETE FROM tags WHERE id = 'nothing';
DELETE FROM todo_custom_fields WHERE id = 'r4-size';
