package main

// What sql of a case may say of the publication and of a role that is no superuser.
const (
	badPublication = "CREATE PUBLICATION bluetap FOR ALL TABLES WITH (publish_via_partition_root = true);"
	badGrants      = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO $DB;"
	badReader      = badPublication + badGrants + "ALTER ROLE $DB REPLICATION;"
)

// badOwner makes the role the owner of database and tables.
const badOwner = `ALTER DATABASE $DB OWNER TO $DB; DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT oid FROM pg_class
	WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
	EXECUTE 'ALTER TABLE ' || t || ' OWNER TO $DB'; END LOOP; END $$;`

var badRoles = []badDatabaseCase{
	{name: "wrong password", url: "postgres://$DB:not" + hush + "@$ADDR/$DB?sslmode=disable",
		want: []string{"bluetap: connect: failed to connect to `user=$DB database=$DB`: $ADDR (127.0.0.1): " +
			"failed SASL auth: FATAL: … (SQLSTATE 28P01)",
			"next: check user and password in database.url, pg_hba.conf, and that the role has REPLICATION"}},
	{name: "unknown role", url: "postgres://nobody:" + hush + "@$ADDR/$DB?sslmode=disable",
		want: []string{"bluetap: connect: failed to connect to `user=nobody database=$DB`: $ADDR " +
			"(127.0.0.1): failed SASL auth: FATAL: … (SQLSTATE 28P01)",
			"next: check user and password in database.url, pg_hba.conf, and that the role has REPLICATION"}},
	{name: "unknown database", url: "postgres://$DB:" + hush + "@$ADDR/nowhere?sslmode=disable",
		want: []string{"bluetap: connect: failed to connect to `user=$DB database=nowhere`: $ADDR " +
			"(127.0.0.1): server error: FATAL: … (SQLSTATE 3D000)",
			"next: check the database's name in database.url"}},
	{name: "unknown database at setup", url: "postgres://$DB:" + hush + "@$ADDR/nowhere?sslmode=disable", args: setup,
		want: []string{"bluetap: connect: failed to connect to `user=$DB database=nowhere`: $ADDR " +
			"(127.0.0.1): server error: FATAL: … (SQLSTATE 3D000)",
			"next: check the database's name in database.url"}},
	{name: "role that may not log in", sql: "ALTER ROLE $DB NOLOGIN",
		want: []string{"bluetap: connect: failed to connect to `user=$DB database=$DB`: $ADDR (127.0.0.1): " +
			"server error: FATAL: … (SQLSTATE 28000)",
			"next: check user and password in database.url, pg_hba.conf, and that the role has REPLICATION"}},
	{name: "password that has run out", sql: "ALTER ROLE $DB VALID UNTIL '2020-01-01'",
		want: []string{"bluetap: connect: failed to connect to `user=$DB database=$DB`: $ADDR (127.0.0.1): " +
			"failed SASL auth: FATAL: … (SQLSTATE 28P01)",
			"next: check user and password in database.url, pg_hba.conf, and that the role has REPLICATION"}},
	{name: "role that may not connect", plain: true, sql: badReader + "REVOKE CONNECT ON DATABASE $DB FROM PUBLIC",
		want: []string{"bluetap: connect: failed to connect to `user=$DB database=$DB`: $ADDR (127.0.0.1): " +
			"server error: FATAL: … (SQLSTATE 42501)",
			`next: GRANT CONNECT ON DATABASE "$DB" TO "$DB"`}},
	{name: "no REPLICATION", plain: true, sql: badOwner,
		want: []string{"bluetap: connect: failed to connect to `user=$DB database=$DB`: $ADDR (127.0.0.1): " +
			"server error: FATAL: … (SQLSTATE 42501)",
			`next: ALTER ROLE "$DB" REPLICATION`}},
	{name: "no REPLICATION at setup", plain: true, sql: badPublication + badGrants, args: setup,
		want: []string{"bluetap: connect: failed to connect to `user=$DB database=$DB`: $ADDR (127.0.0.1): " +
			"server error: FATAL: … (SQLSTATE 42501)",
			`next: ALTER ROLE "$DB" REPLICATION`}},
	{name: "no CREATE on the database", plain: true, sql: "ALTER ROLE $DB REPLICATION;" + badGrants,
		want: []string{"bluetap: create publication bluetap: ERROR: permission denied for database $DB " +
			"(SQLSTATE 42501)",
			`next: CREATE PUBLICATION "bluetap" FOR TABLE ONLY "public"."companies" ("id", …), ONLY … ` +
				`"public"."project_users" ("id", "project_id", "user_id") WITH (publish = 'insert, update, delete, ` +
				`truncate', publish_via_partition_root = true)`}},
	{name: "not the owner of the tables", plain: true, args: setup,
		sql: "ALTER ROLE $DB REPLICATION; GRANT CREATE ON DATABASE $DB TO $DB;" + badGrants,
		want: []string{"bluetap: create publication bluetap: ERROR: must be owner of table companies " +
			"(SQLSTATE 42501)",
			`next: CREATE PUBLICATION "bluetap" FOR TABLE ONLY "public"."companies" ("id", …), ONLY … ` +
				`"public"."project_users" ("id", "project_id", "user_id") WITH (publish = 'insert, update, delete, ` +
				`truncate', publish_via_partition_root = true)`}},
	{name: "no SELECT on a table", plain: true, sql: badReader + "REVOKE SELECT ON comments FROM $DB",
		want: []string{`bluetap: read table "public"."comments": ERROR: permission denied for table comments ` +
			`(SQLSTATE 42501)`,
			`next: GRANT USAGE ON SCHEMA "public" TO "$DB"; GRANT SELECT ON "public"."todo_lists", … TO "$DB"; ` +
				`GRANT SELECT ("id", …) ON "public"."companies" TO "$DB"; …`}},
	{name: "no USAGE on the schema", plain: true, sql: badReader + "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
		want: []string{`bluetap: read table "public"."companies": ERROR: permission denied for schema public ` +
			`(SQLSTATE 42501)`,
			`next: GRANT USAGE ON SCHEMA "public" TO "$DB"; GRANT SELECT ON "public"."todo_lists", … TO "$DB"; ` +
				`GRANT SELECT ("id", …) ON "public"."companies" TO "$DB"; …`}},
	{name: "row-level security", plain: true, sql: badReader + "ALTER TABLE todos ENABLE ROW LEVEL SECURITY",
		want: []string{`bluetap: read table "public"."todos": ERROR: query would be affected by row-level ` +
			`security policy for table "todos" (SQLSTATE 42501)`,
			`next: ALTER ROLE "$DB" BYPASSRLS`}},
}

var badTables = []badDatabaseCase{
	{name: "no tables", empty: true,
		want: []string{"bluetap: schema public of the database has none of Blue's tables",
			"next: check database.url and database.schema, or name the tables under database.tables"}},
	{name: "no tables at setup", empty: true, args: setup,
		want: []string{"bluetap: schema public of the database has none of Blue's tables",
			"next: check database.url and database.schema, or name the tables under database.tables"}},
	{name: "tables of something else", empty: true, sql: "CREATE TABLE orders (id int PRIMARY KEY)",
		want: []string{"bluetap: schema public of the database has none of Blue's tables",
			"next: check database.url and database.schema, or name the tables under database.tables"}},
	{name: "views instead of tables", empty: true, sql: "CREATE VIEW todos AS SELECT 1 AS id",
		want: []string{"bluetap: schema public of the database has none of Blue's tables",
			"next: check database.url and database.schema, or name the tables under database.tables"}},
	{name: "no such schema", lines: "\n  schema: blue",
		want: []string{"bluetap: read tables of schema blue: the database has no such schema",
			"next: check database.url and database.schema"}},
	{name: "two candidates", sql: "CREATE TABLE lists (id text PRIMARY KEY)", code: exitUsage,
		want: []string{"$FILE:3: database.tables.todoList.table: entity todoList has two candidate tables, " +
			"lists and todo_lists: name one of them here"}},
	{name: "two candidates at setup", sql: "CREATE TABLE lists (id text PRIMARY KEY)", args: setup, code: exitUsage,
		lines: "\n  tables:\n    tag: {}\n    todoList:\n      omit: [title]",
		want: []string{"$FILE:7: database.tables.todoList.table: entity todoList has two candidate tables, " +
			"lists and todo_lists: name one of them here"}},
	{name: "no table of that name", lines: "\n  tables: {todo: {table: tasks}}", code: exitUsage,
		want: []string{"$FILE:5: database.tables.todo.table: there is no table tasks in the schema"}},
	{name: "no column of that name", code: exitUsage,
		lines: "\n  tables:\n    todo:\n      columns:\n        title: heading",
		want:  []string{"$FILE:7: database.tables.todo.columns.title: table todos has no column heading"}},
	{name: "table of two entities", lines: "\n  tables: {todo: {table: tags}}", code: exitUsage,
		want: []string{"$FILE:5: database.tables.todo.table: table tags is taken for both todo and tag: name " +
			"another, or the table of the other one too"}},
	{name: "no replica identity", sql: "ALTER TABLE tags DROP CONSTRAINT tags_pkey CASCADE",
		want: []string{`bluetap: publish table "public"."tags": it has no replica identity`,
			`next: ALTER TABLE "public"."tags" ADD PRIMARY KEY (…), or REPLICA IDENTITY USING INDEX with a unique index ` +
				`of NOT NULL columns; or leave the table out: enabled: false under database.tables`}},
	{name: "deferrable key", sql: "ALTER TABLE tags DROP CONSTRAINT tags_pkey CASCADE;" +
		"ALTER TABLE tags ADD PRIMARY KEY (id) DEFERRABLE",
		want: []string{`bluetap: publish table "public"."tags": its primary key is deferrable, which is no replica identity`,
			`next: ALTER TABLE "public"."tags" DROP CONSTRAINT tags_pkey, ADD PRIMARY KEY (id); ` +
				`or leave the table out: enabled: false under database.tables`}},
	{name: "replica identity nothing", sql: "ALTER TABLE tags REPLICA IDENTITY NOTHING",
		want: []string{`bluetap: publish table "public"."tags": its replica identity is NOTHING`,
			`next: ALTER TABLE "public"."tags" REPLICA IDENTITY DEFAULT; ` +
				`or leave the table out: enabled: false under database.tables`}},
	{name: "replica identity full without a key",
		sql: "ALTER TABLE tags DROP CONSTRAINT tags_pkey CASCADE; ALTER TABLE tags REPLICA IDENTITY FULL",
		want: []string{`bluetap: publish table "public"."tags": it has no primary key`,
			`next: ALTER TABLE "public"."tags" ADD PRIMARY KEY (…); ` +
				`or leave the table out: enabled: false under database.tables`}},
	{name: "unlogged table", sql: "ALTER TABLE todo_tags SET UNLOGGED", args: setup,
		want: []string{`bluetap: publish table "public"."todo_tags": it is unlogged, so its changes are not in the log ` +
			`(SET LOGGED writes it anew, under a lock)`,
			`next: ALTER TABLE "public"."todo_tags" SET LOGGED; ` +
				`or leave the table out: enabled: false under database.tables`}},
	{name: "unlogged table at setup --print", sql: "ALTER TABLE todo_tags SET UNLOGGED",
		args: []string{"setup", "--print", "--config", "$FILE"},
		want: []string{`bluetap: publish table "public"."todo_tags": it is unlogged, so its changes are not in the log ` +
			`(SET LOGGED writes it anew, under a lock)`,
			`next: ALTER TABLE "public"."todo_tags" SET LOGGED; ` +
				`or leave the table out: enabled: false under database.tables`}},
	{name: "filter of a table that is missing", sql: "DROP TABLE todo_tags", code: exitUsage,
		hook: "\n  events: [TODO_CREATED]\n  filter:\n    tagTitles: [urgent]",
		want: []string{"$FILE:11: webhooks[0].filter.tagTitles: the database has no table for entity todoTag"}},
	{name: "member of projects without members", sql: "DROP TABLE project_users", code: exitUsage,
		hook: "\n  requireMembership: true\n  createdById: u1",
		want: []string{"$FILE:9: webhooks[0].requireMembership: the database has no table for entity projectUser"}},
	{name: "if of a field that is missing", code: exitUsage, hook: "\n  if: current.colour == 'red'",
		want: []string{"$FILE:9: webhooks[0].if: unknown field colour (1:9)"}},
}

var badPublications = []badDatabaseCase{
	{name: "publication lacks tables",
		sql: "CREATE PUBLICATION bluetap FOR TABLE todos WITH (publish_via_partition_root = true)",
		want: []string{`bluetap: publication bluetap: it lacks ONLY "public"."companies", …, ONLY ` +
			`"public"."project_users"`,
			`next: ALTER PUBLICATION "bluetap" ADD TABLE ONLY "public"."companies" ("id", …), ONLY … ` +
				`"public"."project_users" ("id", "project_id", "user_id")`}},
	{name: "publication of inserts alone",
		sql: "CREATE PUBLICATION bluetap FOR ALL TABLES WITH (publish = 'insert', publish_via_partition_root = true)",
		want: []string{"bluetap: publication bluetap: it does not publish all operations through the " +
			"partition root",
			`next: ALTER PUBLICATION "bluetap" SET (publish = 'insert, update, delete, truncate', ` +
				`publish_via_partition_root = true)`}},
	{name: "publication with a row filter", major: 15,
		sql: "CREATE PUBLICATION bluetap FOR TABLE tags WHERE (id <> 'x'), todos WITH (publish_via_partition_root = true)",
		want: []string{`bluetap: publication bluetap: table "public"."tags" has a row filter`,
			`next: BEGIN; ALTER PUBLICATION "bluetap" DROP TABLE ONLY "public"."tags"; ALTER PUBLICATION ` +
				`"bluetap" ADD TABLE ONLY "public"."tags"; COMMIT`}},
	{name: "publication dropped", started: true, later: "DROP PUBLICATION bluetap",
		want: []string{"bluetap: publication bluetap: it does not exist",
			`next: CREATE PUBLICATION "bluetap" FOR TABLE ONLY "public"."companies" ("id", …), ONLY … ` +
				`"public"."project_users" ("id", "project_id", "user_id") WITH (publish = 'insert, update, delete, ` +
				`truncate', publish_via_partition_root = true); as changes were missed, also stop bluetap, move its ` +
				`state directory away, drop its slot (SELECT pg_drop_replication_slot('$DB')) and start it again: what ` +
				`changed in between is not told`}},
	{name: "table dropped from the publication", started: true, later: "ALTER PUBLICATION bluetap DROP TABLE ONLY todos",
		want: []string{`bluetap: publication bluetap: it lacks ONLY "public"."todos"`,
			`next: ALTER PUBLICATION "bluetap" ADD TABLE ONLY "public"."todos"; as changes were missed, also ` +
				`stop bluetap, move its state directory away, drop its slot (SELECT pg_drop_replication_slot('$DB')) and ` +
				`start it again: what changed in between is not told`}},
	{name: "table put back into the publication", started: true,
		later: "ALTER PUBLICATION bluetap DROP TABLE ONLY todos; ALTER PUBLICATION bluetap ADD TABLE ONLY todos",
		want: []string{`bluetap: stream: slot $DB: table "public"."todos" was taken out of the publication ` +
			`and put back, or is in it in another way now: changes may be missing (our position is …)`,
			"next: stop bluetap, move its state directory away, run SELECT pg_drop_replication_slot('$DB') " +
				"where the slot still exists, and start bluetap anew"}},
}

var badContinuity = []badDatabaseCase{
	{name: "slot without state", sql: "SELECT pg_create_logical_replication_slot('$DB', 'pgoutput')",
		want: []string{"bluetap: slot $DB exists, but $STATE holds no state for it",
			"next: if somebody else uses the slot: set database.slot to another name; if the state is lost: " +
				"SELECT pg_drop_replication_slot('$DB'), then start again (what changed in between is not told)"}},
	{name: "slot of another plugin", sql: "SELECT pg_create_logical_replication_slot('$DB', 'test_decoding')",
		want: []string{"bluetap: slot $DB exists, but $STATE holds no state for it",
			"next: if somebody else uses the slot: set database.slot to another name; if the state is lost: " +
				"SELECT pg_drop_replication_slot('$DB'), then start again (what changed in between is not told)"}},
	{name: "slot of a standby", sql: "SELECT pg_create_physical_replication_slot('$DB')",
		want: []string{"bluetap: slot $DB exists, but $STATE holds no state for it",
			"next: if somebody else uses the slot: set database.slot to another name; if the state is lost: " +
				"SELECT pg_drop_replication_slot('$DB'), then start again (what changed in between is not told)"}},
	{name: "slot of another plugin by now", started: true,
		later: "SELECT pg_drop_replication_slot('$DB'); SELECT pg_create_logical_replication_slot('$DB', 'test_decoding')",
		want: []string{`bluetap: stream: slot $DB: the slot's plugin is "test_decoding" and not pgoutput ` +
			`(our position is …)`,
			"next: that slot is somebody else's: set database.slot to another name, move the state directory " +
				"away and start bluetap anew"}},
	{name: "slot of another database by now", started: true, later: "SELECT pg_drop_replication_slot('$DB');\n" +
		"\\connect template\nSELECT pg_create_logical_replication_slot('$DB', 'pgoutput')",
		want: []string{`bluetap: stream: slot $DB: the slot belongs to database "template" (our position is …)`,
			"next: that slot is somebody else's: set database.slot to another name, move the state directory " +
				"away and start bluetap anew"}},
	{name: "slot dropped", started: true, later: "SELECT pg_drop_replication_slot('$DB')",
		want: []string{"bluetap: stream: slot $DB: the slot does not exist (our position is …)",
			"next: stop bluetap, move its state directory away, run SELECT pg_drop_replication_slot('$DB') " +
				"where the slot still exists, and start bluetap anew"}},
	{name: "slot made anew", started: true, later: "SELECT pg_drop_replication_slot('$DB');" +
		"UPDATE projects SET name = 'x'; SELECT pg_create_logical_replication_slot('$DB', 'pgoutput')",
		want: []string{"bluetap: stream: slot $DB: the slot is ahead of what is stored (our position is …, " +
			"the server's …)",
			"next: stop bluetap, move its state directory away, run SELECT pg_drop_replication_slot('$DB') " +
				"where the slot still exists, and start bluetap anew"}},
	{name: "slot read by somebody else", started: true,
		later: "UPDATE projects SET name = 'x'; SELECT pg_replication_slot_advance('$DB', pg_current_wal_lsn())",
		want: []string{"bluetap: stream: slot $DB: the slot is ahead of what is stored (our position is …, the server's …)",
			"next: stop bluetap, move its state directory away, run SELECT pg_drop_replication_slot('$DB') " +
				"where the slot still exists, and start bluetap anew"}},
	{name: "state of another database", started: true,
		next: "postgres://$DB:" + hush + "@$ADDR/template?sslmode=disable",
		want: []string{"bluetap: not the database that the state belongs to: it is of database $DB (OID …) " +
			"of system …, this is template (OID …) of …",
			"next: point database.url at the database of the state, or set another state.dir"}},
	{name: "database dropped and made anew", started: true, later: "SELECT pg_drop_replication_slot('$DB');\n" +
		"\\connect postgres\nDROP DATABASE $DB;\nCREATE DATABASE $DB TEMPLATE template;",
		want: []string{"bluetap: not the database that the state belongs to: it is of database $DB (OID …) " +
			"of system …, this is $DB (OID …) of …",
			"next: point database.url at the database of the state, or set another state.dir"}},
	{name: "state of another slot", started: true, next: "$URL\n  publication: other",
		want: []string{"bluetap: the state belongs to slot $DB and publication bluetap, the config names $DB " +
			"and other",
			"next: name those of the state, or stop bluetap, move its state directory away, drop its slot " +
				"(SELECT pg_drop_replication_slot('$DB')) and start it again: what changed in between is not told"}},
	{name: "another key", started: true,
		later: "ALTER TABLE tags DROP CONSTRAINT tags_pkey CASCADE; ALTER TABLE tags ADD PRIMARY KEY (uid)",
		want: []string{"bluetap: the replica identity of the table of entity tag was (id) and is (uid)",
			"next: change it back, or stop bluetap, move its state directory away, drop its slot (SELECT " +
				"pg_drop_replication_slot('$DB')) and start it again: what changed in between is not told"}},
	{name: "table not followed all the time", started: true, idle: "\n  tables: {tag: {enabled: false}}",
		want: []string{"bluetap: the table of entity tag was not followed all the time: the mirror lacks its " +
			"changes",
			"next: set database.tables.tag.enabled: false, or stop bluetap, move its state directory away, drop " +
				"its slot (SELECT pg_drop_replication_slot('$DB')) and start it again: what changed in between is not " +
				"told"}},
}
