package main

import "bluetap/internal/finding"

// checkCase is one thing that check is to find in an installation that is otherwise as it should be.
type checkCase struct {
	name, do, undo string // SQL, run by the superuser before and after
	severity       finding.Severity
	code           finding.Code
	subject        string
	text, next     string // parts of the finding
	and            traits
}

// traits are what else is true of a case.
type traits uint8

const (
	runs  traits = 1 << iota // it is an error that harms the application, and would not keep bluetap from running
	mends                    // next is SQL, which is run and must leave nothing to find
)

const dropAndMake = `DROP PUBLICATION bluetap;
	CREATE PUBLICATION bluetap FOR ALL TABLES WITH (publish_via_partition_root)`

var checkCases = []checkCase{
	{"no replication", "ALTER ROLE tap NOREPLICATION", "ALTER ROLE tap REPLICATION", finding.Error, finding.Replication,
		"", "the role may not open a replication connection: ", `ALTER ROLE "tap" REPLICATION`, mends},
	{"superuser", "ALTER ROLE tap SUPERUSER", "ALTER ROLE tap NOSUPERUSER", finding.Warning, finding.Role,
		"", "the role is a superuser", "CREATE ROLE bluetap LOGIN", 0},
	{"one table", "REVOKE SELECT ON todos FROM tap", "GRANT SELECT ON todos TO tap", finding.Error, finding.Privileges,
		"", "may not read all that is needed of todos", `GRANT SELECT ON "public"."todos" TO "tap"`, mends},
	{"one column", "REVOKE SELECT ON todos FROM tap; GRANT SELECT (id) ON todos TO tap", "GRANT SELECT ON todos TO tap",
		finding.Error, finding.Privileges, "", "needed of todos", `GRANT SELECT ON "public"."todos" TO "tap"`, mends},
	{"no schema", "REVOKE USAGE ON SCHEMA public FROM tap, PUBLIC", "GRANT USAGE ON SCHEMA public TO tap, PUBLIC",
		finding.Error, finding.Privileges, "", "needed of companies, projects, ", "bluetap setup --config /", 0},
	{"row-level security", "ALTER TABLE todos ENABLE ROW LEVEL SECURITY",
		"ALTER TABLE todos DISABLE ROW LEVEL SECURITY; ALTER ROLE tap NOBYPASSRLS",
		finding.Error, finding.RowSecurity, "", "hides rows from the role in todos", `ALTER ROLE "tap" BYPASSRLS`, mends},
	{"identity nothing", "ALTER TABLE todos REPLICA IDENTITY NOTHING", "ALTER TABLE todos REPLICA IDENTITY DEFAULT",
		finding.Error, finding.ReplicaID, "todos", "must not be published", `ALTER TABLE "public"."todos" REPLICA IDENTITY`,
		mends},
	{"deferrable key", "ALTER TABLE todo_tags DROP CONSTRAINT todo_tags_pkey, ADD PRIMARY KEY (id) DEFERRABLE",
		"ALTER TABLE todo_tags DROP CONSTRAINT todo_tags_pkey, ADD PRIMARY KEY (id)",
		finding.Error, finding.ReplicaID, "todo_tags", "deferrable",
		`ALTER TABLE "public"."todo_tags" DROP CONSTRAINT todo_tags_pkey, ADD PRIMARY KEY (id)`,
		mends},
	{"stranger without identity", "CREATE TABLE scratch (a int); ALTER PUBLICATION bluetap ADD TABLE scratch",
		"DROP TABLE scratch", finding.Error, finding.ReplicaID, "public.scratch", "its UPDATE and DELETE fail",
		`ALTER PUBLICATION "bluetap" DROP TABLE "public"."scratch"`, runs | mends},
	{"table not published", "ALTER PUBLICATION bluetap DROP TABLE tags", "SELECT",
		finding.Error, finding.Publication, "", `it lacks ONLY "public"."tags"`, `ALTER PUBLICATION "bluetap" ADD TABLE`,
		mends},
	{"inserts only", "ALTER PUBLICATION bluetap SET (publish = 'insert')",
		"ALTER PUBLICATION bluetap SET (publish = 'insert, update, delete, truncate')",
		finding.Error, finding.Publication, "", "does not publish all operations", `ALTER PUBLICATION "bluetap" SET`, mends},
	{"no publication", "ALTER PUBLICATION bluetap RENAME TO other", "ALTER PUBLICATION other RENAME TO bluetap",
		finding.Error, finding.Publication, "", "does not exist, and the role may not make it", "bluetap setup", 0},
	{"whole tables", dropAndMake, "", finding.Warning, finding.ColumnList, "", "columns of companies, projects, users, ",
		`set database.publication to a new name`, 0},
	{"slot without state", "SELECT pg_create_logical_replication_slot('bluetap', 'pgoutput')",
		"SELECT pg_drop_replication_slot('bluetap')", finding.Error, finding.Slot, "", "there is no state for it",
		"bluetap teardown", 0},
	{"last slot", "SELECT pg_create_logical_replication_slot(s, 'pgoutput') FROM (VALUES ('a'), ('b')) v (s)",
		"SELECT pg_drop_replication_slot(s) FROM (VALUES ('a'), ('b')) v (s)", finding.Warning, finding.Slots,
		"", "bluetap has the last one", "ALTER SYSTEM SET max_replication_slots", 0},
	{"no slot left", "SELECT pg_create_logical_replication_slot(s, 'pgoutput') FROM (VALUES ('a'), ('b'), ('c')) v (s)",
		"SELECT pg_drop_replication_slot(s) FROM (VALUES ('a'), ('b'), ('c')) v (s)", finding.Error, finding.Slots,
		"", "is free", "ALTER SYSTEM SET max_replication_slots", 0},
	{"slot of another plugin", "SELECT pg_create_logical_replication_slot('bluetap', 'test_decoding')",
		"SELECT pg_drop_replication_slot('bluetap')", finding.Error, finding.Slot, "", `it has plugin "test_decoding"`,
		"set database.slot", 0},
	{"too few connections", "ALTER DATABASE postgres CONNECTION LIMIT 2", "ALTER DATABASE postgres CONNECTION LIMIT -1",
		finding.Error, finding.Connections, "", "the database may have 2 connections",
		`ALTER DATABASE "postgres" CONNECTION LIMIT`, runs | mends},
	{"few connections", "ALTER ROLE tap CONNECTION LIMIT 4", "ALTER ROLE tap CONNECTION LIMIT -1", finding.Warning,
		finding.Connections, "", "may have 4 connections", `ALTER ROLE "tap" CONNECTION LIMIT`, mends},
	{"any standby is synchronous", "ALTER SYSTEM SET synchronous_standby_names = '*'; SELECT pg_reload_conf()",
		"ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf()", finding.Error, finding.SyncStandby,
		"", "commits would wait for bluetap", "ALTER SYSTEM SET synchronous_standby_names", runs},
	{"log without bound", "ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT pg_reload_conf()",
		"ALTER SYSTEM RESET max_slot_wal_keep_size; SELECT pg_reload_conf()", finding.Warning, finding.WALRetention,
		"", "until its disk is full", "ALTER SYSTEM SET max_slot_wal_keep_size", mends},
	{"little log", "ALTER SYSTEM SET max_slot_wal_keep_size = '100MB'; SELECT pg_reload_conf()",
		"ALTER SYSTEM RESET max_slot_wal_keep_size; SELECT pg_reload_conf()", finding.Warning, finding.WALRetention,
		"", "is 100MB", "ALTER SYSTEM SET max_slot_wal_keep_size", mends},
	{"no sender timeout", "ALTER SYSTEM SET wal_sender_timeout = 0; SELECT pg_reload_conf()",
		"ALTER SYSTEM RESET wal_sender_timeout; SELECT pg_reload_conf()", finding.Warning, finding.SenderTimeout,
		"", "never gives up a dead connection", "ALTER SYSTEM SET wal_sender_timeout", mends},
	{"no tags", "ALTER TABLE tags RENAME TO labels", "ALTER TABLE labels RENAME TO tags", finding.Warning, finding.Tables,
		"", "no table for entity tag", "", runs},
	{"two lists", "CREATE TABLE lists (id int PRIMARY KEY)", "DROP TABLE lists", finding.Error, finding.Tables,
		"", "todoList has two candidate tables", "", runs},
	{"two companies", "INSERT INTO companies (id, slug, name) VALUES ('c2', 'c2', 'C2')",
		"DELETE FROM companies WHERE id = 'c2'",
		finding.Warning, finding.Companies, "a", "the events of all companies", "set companyIds", 0},
	{"full identity", "ALTER TABLE todos REPLICA IDENTITY FULL", "ALTER TABLE todos REPLICA IDENTITY DEFAULT",
		finding.OK, finding.ReplicaID, "todos", "no more than the primary key", "", 0},
	{"large values", "ALTER TABLE todos ALTER html SET STORAGE EXTERNAL; UPDATE todos SET html = repeat('x', 100000)",
		"UPDATE todos SET html = ''", finding.OK, finding.LargeValues, "", "in todos", "", 0},
}
