-- Two go and two come in one transaction: four events, each with an id of its own.
-- given
INSERT INTO users (id, email) VALUES ('dee', 'dee@example.com'), ('eve', 'eve@example.com');
UPDATE users SET uid = md5(id) WHERE id IN ('dee', 'eve');
INSERT INTO todos (id, title, todo_list_id) VALUES ('t30', 'Shift', 'backlog');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('t30-1', 't30', 'ben'), ('t30-2', 't30', 'cy');
-- when
BEGIN;
DELETE FROM todo_users WHERE todo_id = 't30';
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('t30-3', 't30', 'dee'), ('t30-4', 't30', 'eve');
COMMIT;
