-- What every case finds: two companies, three projects, lists, people, tags and fields. Rows inserted from here on get
-- a uid and times that are the same in every run.
CREATE FUNCTION same_every_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.uid := md5(NEW.id::text);
    NEW.created_at := '2026-01-02T03:04:05.678Z';
    NEW.updated_at := '2026-01-02T03:04:05.678Z';
    RETURN NEW;
END $$;
DO $$
DECLARE t regclass;
BEGIN
    FOR t IN SELECT attrelid FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
             WHERE attname = 'uid' AND relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
        EXECUTE format('CREATE TRIGGER same BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION same_every_time()', t);
    END LOOP;
END $$;
UPDATE users SET uid = md5(id);
INSERT INTO users (id, email, first_name, last_name, timezone, password_hash) VALUES
    ('ben', 'ben@example.com', 'Ben', 'Bitdiddle', 'Europe/Berlin', 'never'),
    ('cy', 'cy@example.com', 'Cy', 'D. Fect', NULL, 'never');
INSERT INTO companies (id, slug, name) VALUES ('acme', 'acme', 'Acme');
INSERT INTO projects (id, slug, name, company_id) VALUES
    ('web', 'web', 'Web', 'acme'), ('app', 'app', 'App', 'acme');
INSERT INTO todo_lists (id, title, position, project_id) VALUES
    ('backlog', 'Backlog', 1, 'web'), ('doing', 'Doing', 2, 'web'), ('inbox', 'Inbox', 1, 'app');
INSERT INTO tags (id, title, color, project_id) VALUES
    ('urgent', 'urgent', '#ff0000', 'web'), ('later', 'later', '#00ff00', 'web');
INSERT INTO custom_fields (id, name, type, position, project_id, min, formula) VALUES
    ('size', 'Size', 'SELECT_MULTI', 1, 'web', NULL, NULL),
    ('price', 'Price', 'CURRENCY', 2, 'web', -0.5, '{"b": [1, 2.50], "7": null, "a": "x"}');
INSERT INTO custom_field_options (id, title, position, custom_field_id) VALUES
    ('small', 'S', 1, 'size'), ('large', 'L', 2, 'size');
