-- What surrounds the todo of Blue's published delivery.
INSERT INTO users (id, email, password_hash, first_name, last_name) VALUES
    ('claksl2ye0000vtas0h0ln71e', 'ada@example.com', '$2b$10$never-to-be-sent', 'Ada', 'Lovelace');
INSERT INTO companies VALUES
    ('clakt8jud0002vt64205yyj10', '400eb3f8238c486caf40957618be9662', 'rogue', 'Rogue', NULL,
     '2022-11-17T08:28:21.000Z', '2022-11-17T08:28:20.726Z', '2022-12-01T08:28:15.000Z',
     '2022-11-17T08:28:15.000Z', NULL, NULL, 'clakt8jue0003vt64e40q2prj', NULL, NULL);
INSERT INTO projects VALUES
    ('clakt90vu000bvt64hhffqleq', 'd7db469a8908496f8e5f5e68030fe4c8', 'teest', 'TEEST', '', false,
     '2022-11-17T08:28:43.000Z', '2022-11-17T08:28:42.811Z', false, false, 'GENERAL',
     'clakt8jud0002vt64205yyj10', NULL, NULL);
INSERT INTO project_users (id, project_id, user_id, level) VALUES
    ('clakt90vu000cvt64pu0owner', 'clakt90vu000bvt64hhffqleq', 'claksl2ye0000vtas0h0ln71e', 'OWNER');
INSERT INTO todo_lists VALUES
    ('clakt9v5t000kvt64f563l90l', 'df0e931e6e8f4fc2905ece9da167d2d3', '2022-11-17T08:29:22.000Z',
     '2022-11-17T08:29:22.050Z', 'ETEST', 131070, 'claksl2ye0000vtas0h0ln71e', 'clakt90vu000bvt64hhffqleq');
