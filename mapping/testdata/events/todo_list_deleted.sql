-- A todo moved out of a list that ends in the same transaction is moved; the one that stays ends, with all of its own.
-- given
INSERT INTO todo_lists (id, title, project_id) VALUES ('ld', 'Doomed', 'web');
INSERT INTO todos (id, title, todo_list_id) VALUES ('ld-1', 'Saved', 'ld'), ('ld-2', 'Lost', 'ld');
INSERT INTO checklists (id, title, todo_id) VALUES ('ld-k', 'Steps', 'ld-2');
INSERT INTO checklist_items (id, title, checklist_id) VALUES ('ld-i', 'Step', 'ld-k');
INSERT INTO checklist_item_users (id, checklist_item_id, user_id) VALUES ('ld-iu', 'ld-i', 'ben');
INSERT INTO comments (id, html, text, todo_id) VALUES ('ld-c', 'x', 'x', 'ld-2');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('ld-u', 'ld-2', 'cy');
-- when
BEGIN;
UPDATE todos SET todo_list_id = 'backlog' WHERE id = 'ld-1';
DELETE FROM todo_lists WHERE id = 'ld';
COMMIT;
