-- An option that is moved changes the field that it leaves and the one that it comes to.
-- given
INSERT INTO custom_fields (id, name, type, project_id) VALUES
    ('f2', 'From', 'SELECT_SINGLE', 'web'), ('f3', 'To', 'SELECT_SINGLE', 'web');
INSERT INTO custom_field_options (id, title, custom_field_id) VALUES ('o3', 'Mover', 'f2');
-- when
UPDATE custom_field_options SET custom_field_id = 'f3' WHERE id = 'o3';
