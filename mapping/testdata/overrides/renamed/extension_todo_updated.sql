-- What is left out changes nothing that could be told; what is passed through does.
-- given
INSERT INTO "Aufgaben" (id, titel, liste) VALUES ('v2', 'Old', 'backlog'), ('in-app', 'Filed', 'inbox');
-- when
UPDATE "Aufgaben" SET html = 'never', secret_note = 'never ever', archived = true, created_by_id = 'ben' WHERE id = 'v2';
UPDATE "Aufgaben" SET labels = '{a,NULL}' WHERE id = 'v2';
UPDATE "Aufgaben" SET liste = 'doing' WHERE id = 'v2';
