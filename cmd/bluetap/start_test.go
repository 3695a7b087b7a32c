package main

import (
	"strings"
	"syscall"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
)

func count(t *testing.T, pg *pgtest.Server, what string) string {
	t.Helper()
	return strings.TrimSpace(pg.Exec(t, "postgres", "SELECT count(*) FROM "+what))
}

// TestKilledInSnapshot kills the daemon right after the slot was made: the next start drops that slot and begins anew,
// but never a slot that somebody else has made or read.
func TestKilledInSnapshot(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+blueschema.InsertTodoCreated()+`
		INSERT INTO comments (id, text, todo_id)
		SELECT 'c' || i, repeat('x', 200), 'clb4zna6x0000vt1swuwso25f' FROM generate_series(1, 200000) i`)
	to := receive(t)
	hook := webhookYAML{id: "a", url: to.URL}
	const local = "delivery: {allowedNetworks: [127.0.0.0/8]}"
	i := install(t, pg.URL("postgres"), local, hook)
	p := i.run(t)
	p.dieAt("copying first snapshot")
	p.waitLog("copying first snapshot")
	p.kill()

	// Another program's slot, under the name that the config has by now, is not the one that was half-made.
	pg.Exec(t, "postgres", "SELECT pg_create_logical_replication_slot('others', 'test_decoding')")
	i.configureDatabase(t, pg.URL("postgres"), "slot: others", hook)
	if code, _, stderr := command(t, "run", "--config", i.config); code != 1 ||
		!strings.Contains(stderr, "slot others exists") {
		t.Errorf("exit code %d, stderr:\n%s", code, stderr)
	}
	i.configure(t, pg.URL("postgres"), local, hook)
	i.start(t)
	if n := count(t, pg, "pg_replication_slots WHERE slot_name = 'others'"); n != "1" {
		t.Error("another program's slot was dropped")
	}
	if n := count(t, pg, "pg_replication_slots WHERE slot_name = 'bluetap' AND active"); n != "1" {
		t.Error("bluetap has no slot")
	}
	pg.Exec(t, "postgres", "UPDATE comments SET text = 'new' WHERE id = 'c7'")
	to.waitForBody(t, "COMMENT_UPDATED", `"id":"c7"`)
}

// TestSlotOfAnother has the mark of a half-made snapshot and, under the name of its slot, one that somebody has read.
func TestSlotOfAnother(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+blueschema.InsertTodoCreated()+`
		INSERT INTO comments (id, text, todo_id)
		SELECT 'c' || i, repeat('x', 200), 'clb4zna6x0000vt1swuwso25f' FROM generate_series(1, 200000) i`)
	i := install(t, pg.URL("postgres"), "", webhookYAML{id: "a", url: "https://example.com/"})
	p := i.run(t)
	p.dieAt("copying first snapshot")
	p.waitLog("copying first snapshot")
	p.kill()
	waitUntil(t, "no walsender", func() bool { return count(t, pg, "pg_replication_slots WHERE active") == "0" })
	pg.Exec(t, "postgres", `INSERT INTO comments (id, text) VALUES ('last', 'x');
		SELECT pg_replication_slot_advance('bluetap', pg_current_wal_lsn())`)
	code, _, stderr := command(t, "run", "--config", i.config)
	if code != 1 || !strings.Contains(stderr, "not the one that was made here") || !strings.Contains(stderr, "next: ") {
		t.Errorf("exit code %d, stderr:\n%s", code, stderr)
	}
	if n := count(t, pg, "pg_replication_slots WHERE slot_name = 'bluetap'"); n != "1" {
		t.Error("a slot that somebody has read was dropped")
	}
}

// TestStopInSnapshot stops the daemon while it copies: it leaves no slot behind.
func TestStopInSnapshot(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+blueschema.InsertTodoCreated()+`
		INSERT INTO comments (id, text, todo_id)
		SELECT 'c' || i, repeat('x', 200), 'clb4zna6x0000vt1swuwso25f' FROM generate_series(1, 200000) i`)
	proxy := pgtest.NewProxy(t, pg.Addr())
	i := install(t, pg.URLAt(proxy.Addr(), "postgres"), "", webhookYAML{id: "a", url: "https://example.com/"})
	p := i.run(t)
	p.waitLog("slot created") // and not of the copy, which may be over before it is held up
	proxy.Stall()
	if code, out, stderr := command(t, "status", "--config", i.config); code != 0 ||
		!strings.Contains(out, "snapshot creating") {
		t.Errorf("status in the snapshot: exit code %d, %s%s", code, out, stderr)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	proxy.Resume() // the slot is dropped over the line
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if n := count(t, pg, "pg_replication_slots"); n != "0" {
		t.Errorf("%s slots left behind", n)
	}
	i.start(t)
}

// TestPublicationBeforeSlot holds a first start up where it makes its slot: the publication is there already, as a slot
// does not see a later one.
func TestPublicationBeforeSlot(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	long := pg.Conn(t, "postgres").PgConn()
	if _, err := long.Exec(t.Context(), "BEGIN; UPDATE companies SET name = name").ReadAll(); err != nil {
		t.Fatal(err)
	}
	to := receive(t)
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}", webhookYAML{id: "a", url: to.URL})
	p := i.run(t)
	waitUntil(t, "a slot that waits", func() bool { return count(t, pg, "pg_replication_slots") == "1" })
	if n := count(t, pg, "pg_publication_tables WHERE pubname = 'bluetap' AND tablename = 'todos'"); n != "1" {
		t.Error("the slot is made before the publication")
	}
	if _, err := long.Exec(t.Context(), "COMMIT").ReadAll(); err != nil {
		t.Fatal(err)
	}
	p.waitLog("streaming")
	pg.Exec(t, "postgres", blueschema.InsertTodoCreated())
	to.waitForBody(t, "TODO_CREATED", "GGGG")
}
