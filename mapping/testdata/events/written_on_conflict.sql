-- INSERT … ON CONFLICT: inserted, changed, or neither.
-- given
INSERT INTO tags (id, title, project_id) VALUES ('oc1', 'Old', 'web'), ('oc2', 'Same', 'web');
-- when
INSERT INTO tags (id, title, project_id) VALUES ('oc1', 'New', 'web'), ('oc2', 'Same', 'web'), ('oc3', 'Third', 'web')
ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title, updated_at = '2026-02-02T00:00:00Z';
INSERT INTO tags (id, title, project_id) VALUES ('oc1', 'Unseen', 'web') ON CONFLICT DO NOTHING;
DELETE FROM tags WHERE id LIKE 'oc_';
