-- updatedAt alone is no change of anything.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t20', 'Touched', 'backlog');
INSERT INTO comments (id, html, text, todo_id, user_id) VALUES ('c20', '<p>x</p>', 'x', 't20', 'ben');
-- when
UPDATE todos SET updated_at = '2026-02-02T00:00:00Z';
UPDATE comments SET updated_at = '2026-02-02T00:00:00Z';
UPDATE todo_lists SET updated_at = '2026-02-02T00:00:00Z';
UPDATE tags SET updated_at = '2026-02-02T00:00:00Z';
UPDATE custom_fields SET updated_at = '2026-02-02T00:00:00Z';
UPDATE custom_field_options SET updated_at = '2026-02-02T00:00:00Z';
