-- A deleted item stands in no checklist, and nothing is told of its people.
-- given
ALTER TABLE checklists ADD deleted_at timestamptz(3);
ALTER TABLE checklist_items ADD deleted_at timestamptz(3);
ALTER TABLE checklist_item_users ADD deleted_at timestamptz(3);
INSERT INTO todos (id, title, todo_list_id) VALUES ('s4', 'Checked', 'backlog');
INSERT INTO checklists (id, title, todo_id) VALUES ('s4-k', 'Steps', 's4');
INSERT INTO checklist_items (id, title, position, checklist_id) VALUES
    ('s4-1', 'Stays', 1, 's4-k'), ('s4-2', 'Goes', 2, 's4-k');
-- when
INSERT INTO checklist_item_users (id, checklist_item_id, user_id) VALUES ('s4-ben', 's4-2', 'ben');
UPDATE checklist_item_users SET deleted_at = '2026-03-03' WHERE id = 's4-ben';
UPDATE checklist_item_users SET deleted_at = NULL WHERE id = 's4-ben';
UPDATE checklist_items SET deleted_at = '2026-03-03' WHERE id = 's4-2';
UPDATE checklist_items SET title = 'Unseen', done = true, dued_at = '2026-01-01' WHERE id = 's4-2';
DELETE FROM checklist_item_users WHERE id = 's4-ben';
UPDATE checklists SET deleted_at = '2026-03-03' WHERE id = 's4-k';
UPDATE checklist_items SET done = true WHERE id = 's4-1';
UPDATE checklists SET deleted_at = NULL WHERE id = 's4-k';
UPDATE checklist_items SET deleted_at = NULL WHERE id = 's4-2';
DELETE FROM todos WHERE id = 's4';
ALTER TABLE checklists DROP deleted_at;
ALTER TABLE checklist_items DROP deleted_at;
ALTER TABLE checklist_item_users DROP deleted_at;
