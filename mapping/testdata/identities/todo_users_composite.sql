-- Keyed by the pair itself, without an id.
-- given
CREATE FUNCTION same_pair() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.uid := md5(NEW.todo_id || NEW.user_id);
    NEW.created_at := '2026-01-02T03:04:05.678Z';
    NEW.updated_at := '2026-01-02T03:04:05.678Z';
    RETURN NEW;
END $$;
DROP TRIGGER same ON todo_users;
CREATE TRIGGER same BEFORE INSERT ON todo_users FOR EACH ROW EXECUTE FUNCTION same_pair();
INSERT INTO todos (id, title, todo_list_id) VALUES ('n2', 'Team', 'backlog'), ('n3', 'Other', 'backlog');
-- when
INSERT INTO todo_users (todo_id, user_id) VALUES ('n2', 'ben');
UPDATE todo_users SET user_id = 'cy' WHERE todo_id = 'n2';
BEGIN;
DELETE FROM todo_users WHERE todo_id = 'n2';
INSERT INTO todo_users (todo_id, user_id) VALUES ('n2', 'cy'), ('n2', 'ben');
COMMIT;
UPDATE todo_users SET todo_id = 'n3' WHERE todo_id = 'n2' AND user_id = 'cy';
DELETE FROM todos WHERE id = 'n2';
