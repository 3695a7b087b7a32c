-- when
INSERT INTO tags (id, title, color, project_id) VALUES ('g1', 'bug', '#123456', 'app');
UPDATE tags SET color = '#654321' WHERE id = 'g1';
DELETE FROM tags WHERE id = 'g1';
