-- A date column with a default gives every row a date without a message.
-- given
ALTER TABLE checklist_items DROP dued_at;
INSERT INTO todos (id, title, todo_list_id) VALUES ('a3', 'Checked', 'backlog');
INSERT INTO checklists (id, title, todo_id) VALUES ('a3-k', 'Steps', 'a3');
INSERT INTO checklist_items (id, title, checklist_id) VALUES ('a3-i', 'Step', 'a3-k'), ('a3-j', 'Step', 'a3-k');
-- when
ALTER TABLE checklist_items ADD dued_at timestamptz(3) DEFAULT '2026-06-01',
    ADD remind_at timestamptz(3) DEFAULT '2026-05-31';
UPDATE checklist_items SET updated_at = '2026-02-02T00:00:00Z' WHERE id = 'a3-i';
UPDATE checklist_items SET dued_at = NULL WHERE id = 'a3-i';
UPDATE checklist_items SET title = 'Renamed' WHERE id = 'a3-j';
UPDATE checklist_items SET remind_at = '2026-06-01' WHERE id = 'a3-j';
