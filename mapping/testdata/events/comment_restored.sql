-- Restored is a creation; hard-deleted a deletion; born deleted nothing; on a discussion there is no todo.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t24', 'Discussed', 'backlog');
INSERT INTO comments (id, html, text, todo_id, deleted_at) VALUES ('c2', '', '', 't24', '2026-02-02T00:00:00Z');
-- when
INSERT INTO comments (id, todo_id, deleted_at) VALUES ('c3', 't24', '2026-02-02T00:00:00Z');
UPDATE comments SET deleted_at = NULL, text = 'Back' WHERE id = 'c2';
DELETE FROM comments WHERE id = 'c2';
INSERT INTO comments (id, html, text, category, discussion_id, user_id) VALUES ('c4', 'x', 'x', 'DISCUSSION', 'd1', 'cy');
