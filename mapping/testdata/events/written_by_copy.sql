-- COPY inserts many rows in one transaction.
-- when
COPY todos (id, title, todo_list_id, done) FROM STDIN;
wc1	First	backlog	f
wc2	Second	doing	t
wc3	Third	inbox	f
\.
DELETE FROM todos WHERE id IN ('wc1', 'wc2', 'wc3');
