-- Without the mark who was deleted is not created by the next touch of its row.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('a4', 'Discussed', 'backlog');
INSERT INTO comments (id, html, text, todo_id, deleted_at) VALUES
    ('a4-gone', '', 'gone', 'a4', '2026-02-02'), ('a4-here', '', 'here', 'a4', NULL);
-- when
ALTER TABLE comments DROP deleted_at;
UPDATE comments SET updated_at = '2026-02-02T00:00:00Z';
UPDATE comments SET text = 'still here' WHERE id = 'a4-here';
DELETE FROM comments WHERE id = 'a4-here';
