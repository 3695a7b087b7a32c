-- Any column beyond timestamps: the title, the project; who has the tag is not changed by it.
-- given
INSERT INTO tags (id, title, project_id) VALUES ('gu', 'Old', 'web');
INSERT INTO todos (id, title, todo_list_id) VALUES ('gu-t', 'Tagged', 'backlog');
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('gu-tg', 'gu-t', 'gu');
-- when
UPDATE tags SET title = 'New' WHERE id = 'gu';
UPDATE tags SET project_id = 'app', updated_at = '2026-02-02T00:00:00Z' WHERE id = 'gu';
DELETE FROM tags WHERE id = 'gu';
