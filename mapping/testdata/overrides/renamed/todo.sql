-- Renamed columns are sent under Blue's names, further ones under theirs or the config's, foreign keys that are left
-- out still say what is nested, whose record it is and that a todo was moved.
-- given
INSERT INTO "Aufgaben" (id, titel, html, text, liste) VALUES ('v1', 'Old', 'never', 'text', 'backlog');
-- when
UPDATE "Aufgaben" SET titel = 'New', estimated_hours = 1.50, _last__seen = '2026-04-04' WHERE id = 'v1';
UPDATE "Aufgaben" SET liste = 'inbox' WHERE id = 'v1';
INSERT INTO comments (id, html, text, todo_id, user_id) VALUES ('v1', 'x', 'x', 'v1', 'ben');
INSERT INTO checklists (id, title, todo_id) VALUES ('v1', 'Steps', 'v1');
INSERT INTO checklist_items (id, title, position, checklist_id) VALUES ('v1', 'Step', 2, 'v1');
INSERT INTO checklist_item_users (id, checklist_item_id, user_id) VALUES ('v1', 'v1', 'cy');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('v1', 'v1', 'ben');
UPDATE "Aufgaben" SET html = 'never again', secret_note = 'never ever', "Title" = 'x', archived = true WHERE id = 'v1';
