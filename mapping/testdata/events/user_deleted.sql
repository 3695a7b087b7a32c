-- A person goes: no assignee any more, of todos and items; what they wrote or created stays without them.
-- given
INSERT INTO users (id, email, first_name) VALUES ('gus', 'gus@example.com', 'Gus');
INSERT INTO project_users (id, project_id, user_id) VALUES ('gus-web', 'web', 'gus');
INSERT INTO todo_lists (id, title, project_id, created_by_id) VALUES ('gus-l', 'His list', 'web', 'gus');
INSERT INTO todos (id, title, todo_list_id, created_by_id) VALUES ('gus-t', 'His todo', 'gus-l', 'gus');
INSERT INTO checklists (id, title, todo_id, created_by_id) VALUES ('gus-k', 'His checklist', 'gus-t', 'gus');
INSERT INTO checklist_items (id, title, checklist_id, created_by_id) VALUES ('gus-i', 'His item', 'gus-k', 'gus');
INSERT INTO comments (id, html, text, todo_id, user_id) VALUES ('gus-c', 'x', 'x', 'gus-t', 'gus');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('gus-a', 'gus-t', 'gus'), ('gus-b', 'gus-t', 'ben');
INSERT INTO checklist_item_users (id, checklist_item_id, user_id) VALUES ('gus-ia', 'gus-i', 'gus');
-- when
DELETE FROM users WHERE id = 'gus';
UPDATE comments SET text = 'y' WHERE id = 'gus-c';
DELETE FROM todo_lists WHERE id = 'gus-l';
