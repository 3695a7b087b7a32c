-- Of Blue's events only a todo's move is one: not an item's, a checklist's, a comment's or a list's, nor what a
-- comment is.
-- given
INSERT INTO todo_lists (id, title, project_id) VALUES ('nm-l', 'Nomad', 'web');
INSERT INTO todos (id, title, todo_list_id) VALUES ('nm1', 'From', 'backlog'), ('nm2', 'To', 'nm-l');
INSERT INTO checklists (id, title, todo_id) VALUES ('nm-k1', 'From', 'nm1'), ('nm-k2', 'To', 'nm2');
INSERT INTO checklist_items (id, title, checklist_id) VALUES ('nm-i', 'Nomad', 'nm-k1');
INSERT INTO checklist_item_users (id, checklist_item_id, user_id) VALUES ('nm-iu', 'nm-i', 'ben');
INSERT INTO comments (id, html, text, todo_id) VALUES ('nm-c', 'x', 'x', 'nm1');
-- when
UPDATE checklist_items SET checklist_id = 'nm-k2', position = 1, created_by_id = 'ben' WHERE id = 'nm-i';
UPDATE checklists SET todo_id = 'nm2' WHERE id = 'nm-k1';
UPDATE comments SET todo_id = 'nm2', user_id = 'ben', category = 'STATUS_UPDATE',
    status_update_id = 's' WHERE id = 'nm-c';
UPDATE todo_lists SET project_id = 'app' WHERE id = 'nm-l';
UPDATE todos SET html = 'x', text = 'x', archived = true, timezone = 'UTC', created_by_id = 'ben',
    uid = 'nm' WHERE id = 'nm1';
