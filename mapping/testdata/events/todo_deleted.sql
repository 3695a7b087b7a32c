-- A todo with relations goes: one event, and the relations stand in its last value.
-- given
INSERT INTO todos (id, title, todo_list_id) VALUES ('t2', 'Gone', 'doing');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('t2-cy', 't2', 'cy'), ('t2-ben', 't2', 'ben');
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('t2-urgent', 't2', 'urgent');
-- when
DELETE FROM todos WHERE id = 't2';
