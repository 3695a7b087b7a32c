package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
)

// TestClearErrors makes the mistakes that newcomers make: one line that says what is wrong, where, and the exit code.
func TestClearErrors(t *testing.T) {
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", `CREATE ROLE tap LOGIN REPLICATION PASSWORD 'right';
		CREATE ROLE plain LOGIN PASSWORD 'right'`)
	pg.CreateDB(t, "empty")
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name+".yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	database := func(url string) string {
		return fmt.Sprintf("database: {url: %q}\nstate: {dir: %s}\nwebhooks: [{id: a, url: https://example.com/}]\n",
			url, filepath.Join(t.TempDir(), "state"))
	}
	missing := filepath.Join(dir, "missing.yaml")
	cases := []struct {
		name string
		args []string
		code int
		want []string // stderr's lines; "…" at the end stands for any rest
	}{
		{"wrong password", []string{"run", "--config", write("password", database(pg.URLFor("tap", "wrong", "postgres")))}, 1,
			[]string{"bluetap: …", "next: check user and password in database.url…"}},
		{"unknown database", []string{"run", "--config", write("database", database(pg.URL("nowhere")))}, 1,
			[]string{"bluetap: …", "next: check the database's name in database.url"}},
		{"no tables", []string{"run", "--config", write("tables", database(pg.URL("empty")))}, 1,
			[]string{"bluetap: schema public of the database has none of Blue's tables",
				"next: check database.url and database.schema, or name the tables under database.tables"}},
		{"unknown key", []string{"run", "--config", write("key",
			"database:\n  url: postgres://localhost/\n  schem: x\nstate: {dir: /tmp/x}\nwebhooks: []\n")}, 2,
			[]string{filepath.Join(dir, "key.yaml") + ":3: database.schem: …"}},
		{"missing secret reference", []string{"run", "--config", write("secret",
			"database: {url: postgres://localhost/}\nstate: {dir: /tmp/x}\nwebhooks:\n"+
				"  - id: a\n    url: https://example.com/\n    secret: env:BLUETAP_NO_SUCH_SECRET\n")}, 2,
			[]string{filepath.Join(dir, "secret.yaml") + ":6: webhooks[0].secret: …"}},
		{"missing file", []string{"run", "--config", missing}, 2, []string{missing + ":1: …"}},
		{"no file named", []string{"run"}, 2, []string{"bluetap: --config FILE is required", "next: bluetap --help"}},
		{"unknown flag", []string{"run", "--confg", "x"}, 2,
			[]string{"bluetap: unknown flag: --confg", "next: bluetap --help"}},
		{"unknown command", []string{"rnu"}, 2,
			[]string{`bluetap: unknown command "rnu" for "bluetap"`, "next: bluetap --help"}},
		{"surplus argument", []string{"version", "1"}, 2, []string{"bluetap: …", "next: bluetap --help"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			code, _, stderr := command(t, c.args...)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			var lines []string
			for line := range strings.Lines(stderr) {
				if !strings.HasPrefix(line, "{") { // the log
					lines = append(lines, strings.TrimSuffix(line, "\n"))
				}
			}
			if len(lines) != len(c.want) {
				t.Fatalf("stderr:\n%s\nwant lines %q", stderr, c.want)
			}
			for n, want := range c.want {
				prefix, open := strings.CutSuffix(want, "…")
				if lines[n] != want && !(open && strings.HasPrefix(lines[n], prefix)) {
					t.Errorf("line %d: %s\nwant: %s", n+1, lines[n], want)
				}
			}
			if strings.Contains(stderr, "wrong") {
				t.Errorf("the password is in stderr:\n%s", stderr)
			}
		})
	}
}

// TestUnreachable has no server: the daemon says so and waits for it, and still stops at once when asked.
func TestUnreachable(t *testing.T) {
	i := install(t, "postgres://127.0.0.1:1/postgres", "", webhookYAML{id: "a", url: "https://example.com/"})
	p := i.run(t)
	p.waitLog("waiting for the database")
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

// TestSlotWithoutState has a slot of that name but no state for it: another bluetap's, or the state is lost.
func TestSlotWithoutState(t *testing.T) {
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+`SELECT pg_create_logical_replication_slot('bluetap', 'pgoutput')`)
	i := install(t, pg.URL("postgres"), "", webhookYAML{id: "a", url: "https://example.com/"})
	code, _, stderr := command(t, "run", "--config", i.config)
	if code != 1 || !strings.Contains(stderr, "slot bluetap exists, but "+i.state+" holds no state for it") ||
		!strings.Contains(stderr, "next: ") {
		t.Errorf("exit code %d, stderr:\n%s", code, stderr)
	}
	slots := strings.TrimSpace(pg.Exec(t, "postgres", "SELECT count(*) FROM pg_replication_slots"))
	if slots != "1" {
		t.Errorf("%s slots, want the one that was there", slots)
	}
}

// TestMissingGrant has a role that may replicate but not read: it is told what to grant, and no slot is left behind.
func TestMissingGrant(t *testing.T) {
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+`CREATE ROLE tap LOGIN REPLICATION PASSWORD 'right';
		GRANT CREATE ON DATABASE postgres TO tap;`)
	i := install(t, pg.URLFor("tap", "right", "postgres"), "", webhookYAML{id: "a", url: "https://example.com/"})
	refused := func(want, next string) {
		t.Helper()
		code, _, stderr := command(t, "run", "--config", i.config)
		if code != 1 || !strings.Contains(stderr, want) || !strings.Contains(stderr, "next: "+next) {
			t.Errorf("exit code %d, stderr:\n%s\nwant %q and next %q", code, stderr, want, next)
		}
		if slots := strings.TrimSpace(pg.Exec(t, "postgres", "SELECT count(*) FROM pg_replication_slots")); slots != "0" {
			t.Errorf("%s slots left behind", slots)
		}
	}
	refused("must be owner of table", `CREATE PUBLICATION "bluetap" FOR TABLE`)
	pg.Exec(t, "postgres", "CREATE PUBLICATION bluetap FOR ALL TABLES WITH (publish_via_partition_root = true)")
	refused("permission denied for table companies",
		`GRANT USAGE ON SCHEMA "public" TO "tap"; GRANT SELECT ON "public"."todo_lists"`)
	pg.Exec(t, "postgres", `GRANT SELECT ON ALL TABLES IN SCHEMA public TO tap;
		ALTER TABLE todos ENABLE ROW LEVEL SECURITY`)
	refused("row-level security", `GRANT USAGE`)
	pg.Exec(t, "postgres", "ALTER TABLE todos DISABLE ROW LEVEL SECURITY")
	i.start(t)
}

// TestSnapshotFails cuts the line in the middle of the first copy: the slot is dropped and everything begun anew, and
// the mirror holds each row once.
func TestSnapshotFails(t *testing.T) {
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+blueschema.InsertTodoCreated()+`
		INSERT INTO comments (id, text, todo_id)
		SELECT 'c' || i, repeat('x', 200), 'clb4zna6x0000vt1swuwso25f' FROM generate_series(1, 200000) i`)
	to := receive(t)
	proxy := pgtest.NewProxy(t, pg.Addr())
	i := install(t, pg.URLAt(proxy.Addr(), "postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}",
		webhookYAML{id: "a", url: to.URL})
	p := i.run(t)
	p.waitLog("slot created")
	proxy.Cut()
	p.waitLog("waiting for the database")
	p.waitLog("streaming")
	pg.Exec(t, "postgres", "UPDATE comments SET text = 'new' WHERE id IN ('c1', 'c100000', 'c200000')")
	for _, id := range []string{"c1", "c100000", "c200000"} {
		all := to.waitForBody(t, "COMMENT_UPDATED", `"id":"`+id+`"`)
		if d := all[len(all)-1]; !strings.Contains(d.body, `"previousValue":{"id":"`+id+`"`) ||
			!strings.Contains(d.body, strings.Repeat("x", 200)) {
			t.Errorf("body without the previous text: %.300s", d.body)
		}
	}
	if got := i.waitEmpty(t).Divergences; len(got) > 0 {
		t.Errorf("divergences %v", got)
	}
}
