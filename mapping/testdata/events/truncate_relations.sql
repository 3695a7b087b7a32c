-- TRUNCATE of relations: every pair is gone, and who is put back has stayed.
-- given
DELETE FROM todos;
INSERT INTO todos (id, title, todo_list_id) VALUES ('y1', 'One', 'backlog'), ('y2', 'Two', 'doing');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('y-1', 'y1', 'ben'), ('y-2', 'y1', 'cy'), ('y-3', 'y2', 'ben');
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('y-4', 'y1', 'urgent');
INSERT INTO todo_custom_fields (id, todo_id, custom_field_id) VALUES ('y-5', 'y2', 'size');
INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id) VALUES
    ('y-6', 'y-5', 'small');
INSERT INTO checklists (id, title, todo_id) VALUES ('y-k', 'Steps', 'y2');
INSERT INTO checklist_items (id, title, checklist_id) VALUES ('y-i', 'Step', 'y-k');
INSERT INTO checklist_item_users (id, checklist_item_id, user_id) VALUES ('y-7', 'y-i', 'cy');
-- when
BEGIN;
TRUNCATE todo_users;
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('y-8', 'y1', 'cy');
COMMIT;
TRUNCATE todo_tags, checklist_item_users;
TRUNCATE todo_custom_fields CASCADE;
