-- Arrays stand by position, compared as numbers to the last digit, then by createdAt, then by key.
-- given
ALTER TABLE checklist_items ALTER position TYPE numeric(65, 30);
INSERT INTO todos (id, title, todo_list_id) VALUES ('oa', 'Sorted', 'backlog');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('oa-3', 'oa', 'ben'), ('oa-2', 'oa', 'cy'), ('oa-1', 'oa', 'cy');
UPDATE todo_users SET created_at = '2026-01-01' WHERE id = 'oa-3';
INSERT INTO checklists (id, title, todo_id) VALUES ('oa-k', 'Steps', 'oa');
INSERT INTO checklist_items (id, title, position, checklist_id) VALUES
    ('oa-h', '8', 10, 'oa-k'), ('oa-g', '7', 9, 'oa-k'), ('oa-b', '2', 0, 'oa-k'), ('oa-a', '3', 0, 'oa-k'),
    ('oa-f', '6', 1.000000000000000000000000000002, 'oa-k'), ('oa-e', '5', 1.000000000000000000000000000001, 'oa-k'),
    ('oa-d', '4', 1, 'oa-k'), ('oa-c', '1', -1, 'oa-k');
UPDATE checklist_items SET created_at = '2026-01-01' WHERE id = 'oa-b';
-- when
UPDATE todos SET done = true WHERE id = 'oa';
UPDATE checklists SET title = 'All steps' WHERE id = 'oa-k';
ALTER TABLE checklist_items ALTER position TYPE double precision;
