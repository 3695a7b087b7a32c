-- Who does an item: changed, replaced, twice, moved to another item, and gone with it.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('ia', 'Checked', 'backlog');
INSERT INTO checklists (id, title, todo_id) VALUES ('ia-k', 'Steps', 'ia');
INSERT INTO checklist_items (id, title, position, checklist_id) VALUES
    ('ia-1', 'One', 1, 'ia-k'), ('ia-2', 'Two', 2, 'ia-k');
INSERT INTO checklist_item_users (id, checklist_item_id, user_id) VALUES ('ia-a', 'ia-1', 'ben');
-- when
UPDATE checklist_item_users SET user_id = 'cy' WHERE id = 'ia-a';
BEGIN;
DELETE FROM checklist_item_users WHERE checklist_item_id = 'ia-1';
INSERT INTO checklist_item_users (id, checklist_item_id, user_id) VALUES
    ('ia-b', 'ia-1', 'ben'), ('ia-c', 'ia-1', 'cy');
COMMIT;
INSERT INTO checklist_item_users (id, checklist_item_id, user_id) VALUES ('ia-d', 'ia-1', 'cy');
DELETE FROM checklist_item_users WHERE id = 'ia-c';
UPDATE checklist_item_users SET checklist_item_id = 'ia-2' WHERE id = 'ia-d';
DELETE FROM checklist_items WHERE id = 'ia-2';
BEGIN;
INSERT INTO checklist_items (id, title, checklist_id) VALUES ('ia-3', 'Three', 'ia-k');
INSERT INTO checklist_item_users (id, checklist_item_id, user_id) VALUES ('ia-e', 'ia-3', 'ben');
COMMIT;
