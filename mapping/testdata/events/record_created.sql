-- Of a creation the short form says who made it.
-- when
INSERT INTO todos (id, title, todo_list_id, created_by_id) VALUES ('r5', 'Made by Ben', 'backlog', 'ben');
