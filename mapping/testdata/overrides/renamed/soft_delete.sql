-- The mark of a soft delete may be named, and not sent; a column that goes by its name here is none.
-- given
INSERT INTO "Aufgaben" (id, titel, liste) VALUES ('v3', 'Checked', 'backlog');
-- when
INSERT INTO checklists (id, title, todo_id, removed_at) VALUES ('v3', 'Steps', 'v3', '2026-01-01');
UPDATE checklists SET removed_at = NULL WHERE id = 'v3';
UPDATE checklists SET removed = '2026-03-03' WHERE id = 'v3';
UPDATE checklists SET title = 'Unseen' WHERE id = 'v3';
UPDATE checklists SET removed = NULL, removed_at = '2026-02-02' WHERE id = 'v3';
