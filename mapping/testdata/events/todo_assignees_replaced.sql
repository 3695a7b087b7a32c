-- Blue replaces the set: who stays gives nothing, who goes and who comes one event each.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t8', 'Set', 'backlog');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('t8-1', 't8', 'ben'), ('t8-2', 't8', 'claksl2ye0000vtas0h0ln71e');
-- when
BEGIN;
DELETE FROM todo_users WHERE todo_id = 't8';
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('t8-3', 't8', 'cy'), ('t8-4', 't8', 'ben');
COMMIT;
