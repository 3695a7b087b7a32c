-- A key of another name is no id that is sent, but it is what foreign keys hold; items are keyed by two columns, their
-- people by the pair.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES (20, 'Checked', md5('doing')::uuid);
-- when
INSERT INTO checklists (nr, uid, title, todo_id, created_at, updated_at) VALUES
    (1, 'k1', 'Steps', 20, '2026-01-01', '2026-01-01'), (2, 'k2', 'More', 20, '2026-01-01', '2026-01-01');
INSERT INTO checklist_items (id, title, position, checklist_id) VALUES (10, 'Ten', 2, 1), (9, 'Nine', 1, 1);
INSERT INTO checklist_item_users (uid, checklist_item_id, user_id, created_at, updated_at) VALUES
    ('u', 9, 3, '2026-01-01', '2026-01-01');
UPDATE checklist_items SET done = true WHERE id = 9;
UPDATE checklist_item_users SET checklist_item_id = 10;
UPDATE checklist_items SET checklist_id = 2 WHERE id = 10;
UPDATE checklists SET title = 'All steps' WHERE nr = 1;
UPDATE checklists SET nr = 3 WHERE nr = 2;
DELETE FROM checklists;
