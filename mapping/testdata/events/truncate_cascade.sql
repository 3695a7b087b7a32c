-- TRUNCATE … CASCADE: every todo tells its own end, and every checklist, item and comment.
-- given
DELETE FROM todos;
INSERT INTO todos (id, title, todo_list_id) VALUES ('z1', 'One', 'backlog'), ('z2', 'Two', 'doing');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('z1-ben', 'z1', 'ben');
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('z1-urgent', 'z1', 'urgent');
INSERT INTO todo_custom_fields (id, todo_id, custom_field_id) VALUES ('z1-size', 'z1', 'size');
INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id) VALUES
    ('z1-small', 'z1-size', 'small');
INSERT INTO checklists (id, title, todo_id) VALUES ('z1-k', 'Steps', 'z1');
INSERT INTO checklist_items (id, title, checklist_id) VALUES ('z1-i', 'Step', 'z1-k');
INSERT INTO comments (id, html, text, todo_id) VALUES ('z2-c', 'x', 'x', 'z2');
-- when
BEGIN;
INSERT INTO todos (id, title, todo_list_id) VALUES ('z3', 'Never', 'backlog');
TRUNCATE todos CASCADE;
COMMIT;
