-- Who and what is marked deleted is nested all the same, and what is written below it is told.
-- given
ALTER TABLE users ADD deleted_at timestamptz(3);
ALTER TABLE companies ADD deleted_at timestamptz(3);
ALTER TABLE projects ADD deleted_at timestamptz(3);
ALTER TABLE todos ADD deleted_at timestamptz(3);
ALTER TABLE custom_fields ADD deleted_at timestamptz(3);
ALTER TABLE custom_field_options ADD deleted_at timestamptz(3);
INSERT INTO users (id, email, first_name) VALUES ('pd', 'pd@example.com', 'Pat');
INSERT INTO companies (id, slug, name) VALUES ('pd', 'pd', 'Pad');
INSERT INTO projects (id, slug, name, company_id) VALUES ('pd', 'pd', 'Pad', 'pd');
INSERT INTO todo_lists (id, title, project_id) VALUES ('pd', 'Pad', 'pd');
INSERT INTO custom_fields (id, name, type, project_id) VALUES ('pd', 'Stage', 'SELECT_SINGLE', 'pd');
INSERT INTO custom_field_options (id, title, custom_field_id) VALUES ('pd', 'A', 'pd');
INSERT INTO todos (id, title, todo_list_id) VALUES ('pd', 'Old', 'pd');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('pd', 'pd', 'pd');
INSERT INTO todo_custom_fields (id, todo_id, custom_field_id) VALUES ('pd', 'pd', 'pd');
INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id) VALUES ('pd', 'pd', 'pd');
-- when
UPDATE users SET deleted_at = '2026-03-03' WHERE id = 'pd';
UPDATE companies SET deleted_at = '2026-03-03' WHERE id = 'pd';
UPDATE projects SET deleted_at = '2026-03-03' WHERE id = 'pd';
UPDATE custom_fields SET deleted_at = '2026-03-03' WHERE id = 'pd';
UPDATE custom_field_options SET deleted_at = '2026-03-03' WHERE id = 'pd';
UPDATE todos SET title = 'New' WHERE id = 'pd';
UPDATE todos SET deleted_at = '2026-03-03' WHERE id = 'pd';
INSERT INTO comments (id, html, text, todo_id, user_id) VALUES ('pd', 'x', 'x', 'pd', 'pd');
INSERT INTO checklists (id, title, todo_id) VALUES ('pd', 'Steps', 'pd');
INSERT INTO checklist_items (id, title, checklist_id) VALUES ('pd', 'Step', 'pd');
INSERT INTO checklist_item_users (id, checklist_item_id, user_id) VALUES ('pd', 'pd', 'ben');
DELETE FROM users WHERE id = 'pd';
DELETE FROM todos WHERE id = 'pd';
DELETE FROM projects WHERE id = 'pd';
ALTER TABLE users DROP deleted_at;
ALTER TABLE companies DROP deleted_at;
ALTER TABLE projects DROP deleted_at;
ALTER TABLE todos DROP deleted_at;
ALTER TABLE custom_fields DROP deleted_at;
ALTER TABLE custom_field_options DROP deleted_at;
