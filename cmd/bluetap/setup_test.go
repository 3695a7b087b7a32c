package main

import (
	"fmt"
	"strings"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
)

// leastURL makes a role that may do nothing but log in, and returns its URL.
func leastURL(t *testing.T, pg *pgtest.Server) string {
	t.Helper()
	pg.Exec(t, "postgres", "CREATE ROLE tap LOGIN PASSWORD 'right'")
	return pg.URLFor("tap", "right", "postgres")
}

// grantLeast gives that role, as a DBA would, what setup prints for an installation, and nothing else.
func grantLeast(t *testing.T, pg *pgtest.Server, i *instance) string {
	t.Helper()
	code, sql, stderr := command(t, "setup", "--config", i.config, "--print")
	if code != exitOK {
		t.Fatalf("setup --print: exit code %d\n%s", code, stderr)
	}
	pg.Exec(t, "postgres", sql)
	return sql
}

// TestSetup prints what a role lacks, has it run, and finds nothing more to do; the role may do what run needs, and may
// not read what is not sent.
func TestSetup(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+`
		ALTER TABLE comments ENABLE ROW LEVEL SECURITY;
		ALTER TABLE todos ADD secret_note text`)
	to := receive(t)
	i := install(t, leastURL(t, pg), "delivery: {allowedNetworks: [127.0.0.0/8]}", webhookYAML{id: "a", url: to.URL})
	i.configureDatabase(t, pg.URLFor("tap", "right", "postgres"), "tables: {todo: {omit: [secretNote]}}",
		webhookYAML{id: "a", url: to.URL})
	code, _, stderr := command(t, "setup", "--config", i.config)
	if code != exitFailed || !strings.Contains(stderr, `next: CREATE PUBLICATION "bluetap" FOR TABLE`) {
		t.Errorf("setup without a right: exit code %d\n%s", code, stderr)
	}

	sql := grantLeast(t, pg, i)
	wantLines(t, sql, `ALTER ROLE "tap" REPLICATION;`, `ALTER ROLE "tap" BYPASSRLS;`,
		`GRANT USAGE ON SCHEMA "public" TO "tap";`,
		`GRANT SELECT ("id", "uid", "email", "first_name", "last_name", "timezone") ON "public"."users" TO "tap";`)
	// A column list would keep further columns out, of which todos is to send every one.
	if strings.Contains(sql, `"public"."todos" (`) {
		t.Errorf("a column list for a table that is passed through:\n%s", sql)
	}
	code, stdout, stderr := command(t, "setup", "--config", i.config)
	if code != exitOK || !strings.Contains(stdout, "is ready") {
		t.Errorf("setup after it: exit code %d\n%s%s", code, stdout, stderr)
	}
	again := grantLeast(t, pg, i)
	if strings.Contains(again, "PUBLICATION") || strings.Contains(again, "ALTER ROLE") {
		t.Errorf("still to do after all was done:\n%s", again)
	}
	wantRights(t, pg, "true", "users.email", "todos.title", "projects.company_id")
	wantRights(t, pg, "false", "users.password_hash", "users.date_of_birth", "todos.secret_note", "projects.todo_fields",
		"companies.stripe_customer_id")
	if serverMajor(t, pg) < columnLists {
		return
	}
	if got := strings.TrimSpace(pg.Exec(t, "postgres", `SELECT attnames FROM pg_publication_tables
		WHERE tablename = 'users'`)); got != "{id,uid,email,first_name,last_name,timezone}" {
		t.Errorf("published columns of users: %s", got)
	}
}

// columnLists is the server version that brought them.
const columnLists = 15

func serverMajor(t *testing.T, pg *pgtest.Server) int {
	t.Helper()
	var major int
	version := pg.Exec(t, "postgres", "SELECT current_setting('server_version_num')::int / 10000")
	if _, err := fmt.Sscan(version, &major); err != nil {
		t.Fatal(err)
	}
	return major
}

func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("the line %s is missing in\n%s", line, text)
		}
	}
}

// wantRights asks whether the role may read columns, given as table.column.
func wantRights(t *testing.T, pg *pgtest.Server, want string, columns ...string) {
	t.Helper()
	for _, c := range columns {
		table, column, _ := strings.Cut(c, ".")
		got := strings.TrimSpace(pg.Exec(t, "postgres",
			fmt.Sprintf("SELECT has_column_privilege('tap', '%s', '%s', 'SELECT')::text", table, column)))
		if got != want {
			t.Errorf("may read %s: %s, want %s", c, got, want)
		}
	}
}

// TestColumnListGrowsOld has a table get a column that would be sent, but that its column list lacks: bluetap goes on
// without it, and says so. A publication that is dropped is not quietly made anew: that would hide a gap.
func TestColumnListGrowsOld(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	if serverMajor(t, pg) < columnLists {
		t.Skip("the server has no column lists")
	}
	pg.Exec(t, "postgres", blueschema.SQL()+"ALTER TABLE users DROP timezone;"+blueschema.SeedTodoCreated())
	to := receive(t)
	i := install(t, leastURL(t, pg), "delivery: {allowedNetworks: [127.0.0.0/8]}", webhookYAML{id: "a", url: to.URL})
	grantLeast(t, pg, i)
	p := i.start(t)
	pg.Exec(t, "postgres", `ALTER TABLE users ADD timezone text;
		UPDATE users SET timezone = 'Europe/Berlin', first_name = 'A.'`)
	p.stop()
	p = i.start(t)
	warning := p.waitLog("columns are left out: the publication's column list lacks them, and a list that is " +
		"changed needs a state begun anew")
	if warning["table"] != "users" || fmt.Sprint(warning["columns"]) != "[timezone]" {
		t.Errorf("warning %v", warning)
	}
	pg.Exec(t, "postgres", blueschema.InsertTodoCreated()+`
		INSERT INTO comments (id, text, user_id) SELECT 'c', 'x', id FROM users`)
	to.waitForBody(t, "COMMENT_CREATED", `"firstName":"A.","lastName":"Lovelace","email":"ada@example.com"}`)
	p.stop()

	pg.Exec(t, "postgres", "DROP PUBLICATION bluetap")
	code, _, stderr := command(t, "run", "--config", i.config)
	if code != exitFailed || !strings.Contains(stderr, "publication bluetap: it does not exist") {
		t.Errorf("without its publication: exit code %d\n%s", code, stderr)
	}
}

// TestColumnListHarms has the replica identity of a listed table outgrow its list, which makes the application's own
// writes fail: bluetap says so, with what mends it. A renamed key is in the list as before.
func TestColumnListHarms(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	if serverMajor(t, pg) < columnLists {
		t.Skip("the server has no column lists")
	}
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	to := receive(t)
	i := install(t, leastURL(t, pg), "delivery: {allowedNetworks: [127.0.0.0/8]}", webhookYAML{id: "a", url: to.URL})
	sql := grantLeast(t, pg, i)
	if !strings.Contains(sql, "-- The column lists keep on the server what is not sent") {
		t.Errorf("no word of what column lists stand in the way of:\n%s", sql)
	}
	p := i.start(t)
	pg.Exec(t, "postgres", "ALTER TABLE users RENAME id TO ident; UPDATE users SET first_name = 'A.'")
	pg.TerminateWalsenders(t)
	p.waitLog("streaming again")
	pg.Exec(t, "postgres", blueschema.InsertTodoCreated())
	to.waitForBody(t, "TODO_CREATED", `"GGGG"`)
	p.stop()
	pg.Exec(t, "postgres", "ALTER TABLE users RENAME ident TO id; ALTER TABLE companies REPLICA IDENTITY FULL")
	for _, args := range [][]string{{"run"}, {"setup"}} {
		code, _, stderr := command(t, append(args, "--config", i.config)...)
		if code != exitFailed || !strings.Contains(stderr, `the column list of table "public"."companies" lacks columns of `+
			`its replica identity, so that the application's UPDATE and DELETE fail`) ||
			!strings.Contains(stderr, `next: BEGIN; ALTER PUBLICATION "bluetap" DROP TABLE ONLY "public"."companies"; `) {
			t.Errorf("%s with a list that harms: exit code %d\n%s", args[0], code, stderr)
		}
	}
	mend := grantLeast(t, pg, i)
	if !strings.Contains(mend, "must begin with a new state after this") {
		t.Errorf("no word of the state:\n%s", mend)
	}
	pg.Exec(t, "postgres", "UPDATE companies SET name = 'New'")
	// The application comes first: its writes go on, and the state, which has a gap now, says that it has.
	code, _, stderr := command(t, "run", "--config", i.config)
	if code != exitFailed || !strings.Contains(stderr, "was taken out of the publication and put back") {
		t.Errorf("after the mend: exit code %d\n%s", code, stderr)
	}
}

// TestSetupOfAnOlderPublication says which tables are sent with more than is wanted.
func TestSetupOfAnOlderPublication(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL())
	i := install(t, pg.URL("postgres"), "", webhookYAML{id: "a", url: "https://example.com/"})
	i.start(t).stop()
	code, stdout, stderr := command(t, "setup", "--config", i.config)
	want := "publication bluetap sends all columns of companies, projects, users, project_users"
	if serverMajor(t, pg) < columnLists {
		want = "publication bluetap is ready"
	}
	if code != exitOK || !strings.Contains(stdout, want) {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}
