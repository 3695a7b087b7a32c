-- startedAt and duedAt of an item are one attribute.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('id', 'Checked', 'backlog');
INSERT INTO checklists (id, title, todo_id) VALUES ('id-k', 'Steps', 'id');
INSERT INTO checklist_items (id, title, checklist_id) VALUES ('id-1', 'Dated', 'id-k');
-- when
UPDATE checklist_items SET started_at = '2026-04-01' WHERE id = 'id-1';
UPDATE checklist_items SET started_at = NULL, dued_at = '2026-04-01' WHERE id = 'id-1';
UPDATE checklist_items SET started_at = '2026-04-01' WHERE id = 'id-1';
UPDATE checklist_items SET started_at = NULL, dued_at = NULL, done = true WHERE id = 'id-1';
INSERT INTO checklist_items (id, title, dued_at, checklist_id) VALUES
    ('id-2', 'Born with a date', '2026-05-01', 'id-k');
