-- A todo with all that belongs to it, in one transaction: what comes with it is told by its value.
-- when
BEGIN;
INSERT INTO todos (id, title, html, text, started_at, dued_at, todo_list_id, created_by_id)
VALUES ('t1', E'Ship "it" <now> & \u2028 go\t\\ 🚀', '<p>é</p>', E'line\nbreak', '2026-03-01', '2026-03-02 12:30:00.1239+02',
        'backlog', 'ben');
INSERT INTO todo_users (id, todo_id, user_id) VALUES ('t1-ben', 't1', 'ben');
INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('t1-later', 't1', 'later'), ('t1-urgent', 't1', 'urgent');
INSERT INTO todo_custom_fields (id, number, currency, todo_id, custom_field_id) VALUES ('t1-price', 12.340, 'EUR', 't1', 'price');
INSERT INTO todo_custom_fields (id, todo_id, custom_field_id) VALUES ('t1-size', 't1', 'size');
INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id) VALUES ('t1-large', 't1-size', 'large');
COMMIT;
