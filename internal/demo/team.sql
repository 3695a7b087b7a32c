-- A small team on the eve of the day: what day.go's steps find.
INSERT INTO users (id, email, first_name, last_name, timezone) VALUES
    ('ada', 'ada@example.com', 'Ada', 'Lovelace', 'Europe/London'),
    ('grace', 'grace@example.com', 'Grace', 'Hopper', 'America/New_York'),
    ('linus', 'linus@example.com', 'Linus', 'Pauling', 'America/Los_Angeles');
INSERT INTO companies (id, slug, name) VALUES ('engines', 'engines', 'Analytical Engines');
INSERT INTO projects (id, slug, name, company_id) VALUES ('launch', 'launch', 'Launch', 'engines');
INSERT INTO project_users (id, project_id, user_id, level) VALUES
    ('launch-ada', 'launch', 'ada', 'OWNER'), ('launch-grace', 'launch', 'grace', 'MEMBER'),
    ('launch-linus', 'launch', 'linus', 'MEMBER');
INSERT INTO todo_lists (id, title, position, created_by_id, project_id) VALUES
    ('ideas', 'Ideas', 1, 'ada', 'launch'), ('doing', 'Doing', 2, 'ada', 'launch'),
    ('done', 'Done', 4, 'ada', 'launch'), ('someday', 'Someday', 5, 'ada', 'launch');
INSERT INTO todos (id, title, position, created_by_id, todo_list_id) VALUES
    ('landing', 'Landing page', 1, 'grace', 'ideas'), ('fax', 'Send a fax', 2, 'linus', 'ideas'),
    ('blimp', 'Rent a blimp', 1, 'grace', 'someday'), ('jingle', 'Write a jingle', 2, 'linus', 'someday');
INSERT INTO checklists (id, title, created_by_id, todo_id) VALUES ('fax-how', 'How to', 'linus', 'fax');
INSERT INTO checklist_items (id, title, created_by_id, checklist_id) VALUES
    ('fax-find', 'Find a fax machine', 'linus', 'fax-how');
INSERT INTO comments (id, html, text, user_id, todo_id) VALUES
    ('fax-why', '<p>Does anybody still do that?</p>', 'Does anybody still do that?', 'grace', 'fax');
