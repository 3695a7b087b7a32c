-- startedAt and duedAt are one attribute: added, changed twice, removed.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t6', 'Dated', 'backlog');
-- when
UPDATE todos SET dued_at = '2026-05-01T10:00:00Z' WHERE id = 't6';
UPDATE todos SET started_at = '2026-04-01T10:00:00Z' WHERE id = 't6';
UPDATE todos SET dued_at = NULL WHERE id = 't6';
UPDATE todos SET started_at = NULL WHERE id = 't6';
