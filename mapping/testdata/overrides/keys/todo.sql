-- Ids are sent as their types say, beyond 2^53 as strings, and lead to the rows that have them.
-- given
INSERT INTO todo_lists (id, title, project_id) VALUES ('00000000-0000-4000-8000-00000000000a', 'A', 'web');
-- when
BEGIN;
INSERT INTO todos (id, title, todo_list_id, created_by_id) VALUES
    (7, 'Small', '00000000-0000-4000-8000-00000000000A', 2), (9007199254740993, 'Large', md5('doing')::uuid, NULL);
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('y1', 7, 2);
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('y1', 9007199254740993, 'urgent');
COMMIT;
INSERT INTO comments (id, html, text, todo_id, user_id) VALUES ('y1', 'x', 'x', 9007199254740993, 3);
UPDATE comments SET text = 'y' WHERE id = 'y1';
INSERT INTO comments (id, html, text, todo_id) VALUES ('y1', 'x', 'x', 7);
UPDATE comments SET todo_id = 8 WHERE todo_id = 7;
UPDATE todos SET todo_list_id = md5('inbox')::uuid WHERE id = 7;
UPDATE todo_users SET user_id = 3 WHERE id = 'y1';
INSERT INTO todo_custom_fields (id, number, todo_id, custom_field_id) VALUES ('y1', 0.10, 7, 'price');
DELETE FROM todo_lists WHERE id = '00000000-0000-4000-8000-00000000000a';
DELETE FROM todos;
