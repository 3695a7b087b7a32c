-- The items of a checklist stand in it by position, those without one last.
-- given
ALTER TABLE checklist_items ALTER position DROP NOT NULL;
INSERT INTO todos (id, title, todo_list_id) VALUES ('t26', 'Checked', 'backlog');
INSERT INTO checklists (id, title, todo_id) VALUES ('k2', 'Steps', 't26');
-- when
INSERT INTO checklist_items (id, title, position, checklist_id) VALUES ('i1', 'First?', NULL, 'k2');
INSERT INTO checklist_items (id, title, position, checklist_id) VALUES ('i2', 'Second', 10, 'k2');
INSERT INTO checklist_items (id, title, position, checklist_id) VALUES ('i3', 'Third', 9, 'k2');
UPDATE checklist_items SET title = 'Last' WHERE id = 'i1';
UPDATE checklist_items SET done = true WHERE id = 'i1';
UPDATE checklist_items SET dued_at = '2026-05-01' WHERE id = 'i1';
UPDATE checklist_items SET dued_at = '2026-05-02' WHERE id = 'i1';
UPDATE checklist_items SET dued_at = NULL WHERE id = 'i1';
INSERT INTO checklist_item_users (id, checklist_item_id, user_id) VALUES ('i1-ben', 'i1', 'ben');
DELETE FROM checklist_item_users WHERE id = 'i1-ben';
DELETE FROM checklist_items WHERE id = 'i3';
DELETE FROM checklists WHERE id = 'k2';
