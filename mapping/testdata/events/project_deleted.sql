-- A cascade: everything tells its own end, with its parents as they were just before.
-- given
INSERT INTO projects (id, slug, name, company_id) VALUES ('old', 'old', 'Old', 'acme');
INSERT INTO todo_lists (id, title, project_id) VALUES ('oldlist', 'Old list', 'old');
INSERT INTO tags (id, title, project_id) VALUES ('oldtag', 'Old tag', 'old');
INSERT INTO todos (id, title, todo_list_id) VALUES ('t27', 'Old todo', 'oldlist');
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('t27-1', 't27', 'oldtag');
INSERT INTO comments (id, html, text, todo_id) VALUES ('c27', 'x', 'x', 't27');
INSERT INTO checklists (id, title, todo_id) VALUES ('k27', 'Old checklist', 't27');
INSERT INTO checklist_items (id, title, checklist_id) VALUES ('i27', 'Old item', 'k27');
-- when
DELETE FROM projects WHERE id = 'old';
