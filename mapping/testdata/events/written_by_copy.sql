-- COPY inserts many rows in one transaction.
-- when
COPY todos (id, title, todo_list_id, done) FROM STDIN;
wc1	First	backlog	f
wc2	Second	doing	t
wc3	Third	inbox	f
\.
DELETE FROM todos WHERE id = 'wc1';
DELETE FROM todos WHERE id = 'wc2';
DELETE FROM todos WHERE id = 'wc3';
