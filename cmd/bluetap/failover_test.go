package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgserver"
	"bluetap/internal/pgtest"
)

// The rows of a transaction whose net changes are just more than what is kept of them in memory. Their text compresses
// little, so that the transaction takes a while in each stage.
const (
	stagedRows = 2500
	stagedText = 8000
)

// stagedSQL inserts these rows.
func stagedSQL() string {
	return blueschema.SQL() + blueschema.SeedTodoCreated() + fmt.Sprintf(`
		INSERT INTO todos (id, title, text, todo_list_id) SELECT 't' || i, 'first ' || i,
			(SELECT string_agg(md5(i || ' ' || j), '') FROM generate_series(1, %d / 32) j), 'clakt9v5t000kvt64f563l90l'
		FROM generate_series(1, %d) i;`, stagedText, stagedRows)
}

// TestFailoverWhileStaged kills the daemon when a large transaction is staged, and lets a standby take over that never
// got it. What was staged is undone: no event of it is sent, and what commits in its place on the new server is.
func TestFailoverWhileStaged(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", stagedSQL())
	to := receive(t)
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}",
		webhookYAML{id: "staged", url: to.URL})
	p := i.start(t)
	standby := backUp(t, pg)
	p.waitLog("streaming again")
	p.dieAt("large transaction staged")
	pg.Exec(t, "postgres", "UPDATE todos SET title = 'phantom ' || id")
	lost := p.waitLog("large transaction staged")["position"]
	p.kill()
	takeOver(t, pg, standby, askJSON(t, i).Position.Applied)
	pg.Exec(t, "postgres", "UPDATE todos SET title = 'real' WHERE id = 't7'")
	if pg.Exec(t, "postgres", fmt.Sprintf("SELECT pg_current_wal_lsn() < '%s'", lost)) != "t" {
		t.Fatal("the change that is to be told is no test: it comes after what was staged")
	}

	p = i.run(t)
	p.waitLog("staged transaction undone, of which nothing was sent: the server's history does not hold it")
	all := to.waitForBody(t, "TODO_NAME_CHANGED", `"real"`)
	if !strings.Contains(all[len(all)-1].body, `"first 7"`) {
		t.Errorf("the mirror is not as it was:\n%.500s", all[len(all)-1].body)
	}
	if slices.ContainsFunc(to.deliveries(), func(d delivery) bool { return strings.Contains(d.body, "phantom") }) {
		t.Error("events were sent of a transaction that the server does not have")
	}
	i.waitEmpty(t)
	if pg.Exec(t, "postgres", "SELECT confirmed_flush_lsn <= pg_current_wal_lsn() FROM pg_replication_slots") != "t" {
		t.Error("a position was confirmed that the server has not reached")
	}
	if code := p.stop(); code != exitOK {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}

// backUp copies the server as it is, and returns where to.
func backUp(t *testing.T, pg *pgtest.Server) string {
	t.Helper()
	dir := pg.Exec(t, "postgres", "SHOW data_directory")
	pg.Stop(t, pgserver.Fast)
	backup := dir + ".backup"
	if out, err := exec.Command("cp", "-a", dir, backup).CombinedOutput(); err != nil {
		t.Fatalf("copy the server: %v\n%s", err, out)
	}
	pg.Start(t)
	return backup
}

// takeOver puts a backup in the place of the server, has it promoted as a standby would be that got the log up to
// some position, or a little more, and no further.
func takeOver(t *testing.T, pg *pgtest.Server, backup, upTo string) {
	t.Helper()
	dir := strings.TrimSuffix(backup, ".backup")
	pg.Stop(t, pgserver.Immediate)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(backup, dir); err != nil {
		t.Fatal(err)
	}
	pg.Start(t)
	for pg.Exec(t, "postgres", fmt.Sprintf("SELECT pg_current_wal_flush_lsn() <= '%s'", upTo)) == "t" {
		pg.Exec(t, "postgres", "SELECT pg_logical_emit_message(true, 'filler', repeat('x', 1000))")
	}
	pg.Stop(t, pgserver.Fast)
	if err := os.WriteFile(filepath.Join(dir, "standby.signal"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	pg.Start(t)
	pg.Exec(t, "postgres", "SELECT pg_promote()")
}
