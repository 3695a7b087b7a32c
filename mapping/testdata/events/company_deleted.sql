-- The longest cascade: the project's lists, todos, tags and fields all end with the company.
-- given
INSERT INTO companies (id, slug, name) VALUES ('coy', 'coy', 'Coy');
INSERT INTO projects (id, slug, name, company_id) VALUES ('coy-p', 'p', 'P', 'coy');
INSERT INTO todo_lists (id, title, project_id) VALUES ('coy-l', 'L', 'coy-p');
INSERT INTO tags (id, title, project_id) VALUES ('coy-g', 'G', 'coy-p');
INSERT INTO custom_fields (id, name, project_id) VALUES ('coy-f', 'F', 'coy-p');
INSERT INTO custom_field_options (id, title, custom_field_id) VALUES ('coy-o', 'O', 'coy-f');
INSERT INTO todos (id, title, todo_list_id) VALUES ('coy-t', 'T', 'coy-l');
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('coy-tg', 'coy-t', 'coy-g');
INSERT INTO todo_custom_fields (id, todo_id, custom_field_id) VALUES ('coy-v', 'coy-t', 'coy-f');
INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id) VALUES
    ('coy-vo', 'coy-v', 'coy-o');
INSERT INTO checklists (id, title, todo_id) VALUES ('coy-k', 'K', 'coy-t');
-- when
DELETE FROM companies WHERE id = 'coy';
