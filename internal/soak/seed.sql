-- Keys change under rows that refer to them.
DO $$
DECLARE key record;
BEGIN
    FOR key IN SELECT conname, conrelid::regclass AS owner, pg_get_constraintdef(oid) AS definition FROM pg_constraint
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %2$I %s ON UPDATE CASCADE', key.owner,
            key.conname, key.definition);
    END LOOP;
END $$;

-- What the clients of the history test find. The keys are spread as theirs are; those of 80000000 stay for ever.
INSERT INTO users (id, email, first_name) SELECT lpad(to_hex(i * 300000000::bigint), 8, '0'), i || '@example.com', 'User ' || i
    FROM generate_series(0, 11) i;
INSERT INTO companies (id, slug, name) VALUES ('10000000', 'one', 'One'), ('80000000', 'two', 'Two');
INSERT INTO projects (id, slug, name, company_id) VALUES ('00000000', 'a', 'A', '10000000'),
    ('40000000', 'b', 'B', '10000000'), ('80000000', 'c', 'C', '80000000'), ('c0000000', 'd', 'D', '80000000'),
    ('f0000000', 'e', 'E', '80000000');
INSERT INTO todo_lists (id, title, project_id) SELECT substr(id, 1, 6) || n || '0', 'List ' || n, id
    FROM projects, generate_series(1, 2) n;
INSERT INTO tags (id, title, project_id) SELECT substr(id, 1, 6) || n || '0', 'Tag ' || n, id
    FROM projects, generate_series(1, 2) n;
INSERT INTO custom_fields (id, name, project_id) SELECT id, 'Field', id FROM projects;
INSERT INTO custom_field_options (id, title, custom_field_id) SELECT id || n, 'Option ' || n, id
    FROM custom_fields, generate_series(1, 3) n;
INSERT INTO todos (id, title, todo_list_id)
    SELECT lpad(to_hex(i * 20000000::bigint), 8, '0'), 'Todo ' || i, l.id
    FROM generate_series(1, 200) i JOIN (SELECT id, row_number() OVER () - 1 AS n FROM todo_lists) l ON l.n = i % 10;
INSERT INTO project_users (id, project_id, user_id) SELECT substr(p.id, 1, 1) || u.id, p.id, u.id
    FROM projects p, users u WHERE u.id = '00000000' AND p.id >= '80000000' OR p.id = '40000000' AND u.id > '8';
