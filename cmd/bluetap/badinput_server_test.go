package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/pgtest"
)

// TestBadServer has servers that will not do whatever the database.
func TestBadServer(t *testing.T) {
	t.Parallel()
	pg := startBad(t, pgtest.WithParam("max_replication_slots", "1"), pgtest.WithParam("max_wal_senders", "2"),
		pgtest.WithParam("max_slot_wal_keep_size", "1MB"), pgtest.WithParam("max_wal_size", "32MB"))
	other := startBad(t, pgtest.WithOwnIdentifier(), pgtest.WithParam("wal_level", "replica"))
	t.Run("wal_level", func(t *testing.T) {
		other.bad(t, "level", badDatabaseCase{want: []string{
			"bluetap: the server's wal_level is replica and has to be logical",
			"next: ALTER SYSTEM SET wal_level = logical, then restart Postgres"}})
	})
	t.Run("another server", func(t *testing.T) {
		pg.bad(t, "moved", badDatabaseCase{started: true, next: other.URL("template"), want: []string{
			"bluetap: not the database that the state belongs to: it is of database moved (OID …) of system …, " +
				"this is template (OID …) of …",
			"next: point database.url at the database of the state, or set another state.dir"}})
		if got := count(t, other.Server, "pg_publication"); got != "0" {
			t.Errorf("%s publications made there", got)
		}
	})
	t.Run("slot lost", func(t *testing.T) {
		pg.bad(t, "lost", badDatabaseCase{started: true, later: strings.Repeat("SELECT pg_logical_emit_message(false, "+
			"'x', repeat('x', 1000)); SELECT pg_switch_wal();", 6) + "CHECKPOINT", want: []string{
			"bluetap: stream: slot lost: the slot was invalidated, its log is gone (our position is …, the server's …)",
			"next: stop bluetap, move its state directory away, run SELECT pg_drop_replication_slot('lost') " +
				"where the slot still exists, and start bluetap anew"}})
	})
	t.Run("no slot left", func(t *testing.T) {
		pg.Exec(t, "template", "SELECT pg_create_logical_replication_slot('others', 'test_decoding')")
		pg.bad(t, "slots", badDatabaseCase{want: []string{
			"bluetap: the server has no replication slot left: max_replication_slots is 1",
			"next: raise max_replication_slots and restart Postgres, or drop a slot that nobody uses: " +
				"SELECT slot_name, active FROM pg_replication_slots"}})
		pg.Exec(t, "template", "SELECT pg_drop_replication_slot('others')")
	})
	t.Run("no connection left", func(t *testing.T) {
		pg.waits(t, "connections", badDatabaseCase{plain: true, sql: "ALTER ROLE $DB CONNECTION LIMIT 0"},
			"connect: failed to connect to …: server error: FATAL: … (SQLSTATE 53300)")
	})
	t.Run("no TLS", func(t *testing.T) {
		pg.waits(t, "tls", badDatabaseCase{url: "postgres://$DB:" + hush + "@$ADDR/$DB?sslmode=require"},
			"connect: failed to connect to …: tls error: server refused TLS connection")
	})
	t.Run("no sender left", func(t *testing.T) {
		for range 2 {
			conn, err := pgconn.Connect(t.Context(), pg.URL("postgres")+"&replication=database")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(t.Context())
		}
		pg.waits(t, "senders", badDatabaseCase{},
			"connect: failed to connect to …: server error: FATAL: … (SQLSTATE 53300)")
	})
}

// waits runs a case that may pass by itself: bluetap says what it waits for, stops when it is asked to, and has changed
// nothing.
func (s badServer) waits(t *testing.T, name string, c badDatabaseCase, want string) {
	t.Helper()
	b, look := s.prepare(t, name, c)
	before := look()
	p := (&instance{config: b.config(), state: b.state()}).run(t)
	if got := fmt.Sprint(p.waitLog("waiting for the database")["err"]); !matches(got, b.words.Replace(want)) {
		t.Errorf("waits for: %s\nwant: %s", got, b.words.Replace(want))
	}
	if code := p.stop(); code != exitOK {
		t.Errorf("exit code %d after a stop", code)
	}
	if log := strings.Join(p.log(), "\n"); strings.Contains(log, hush) {
		t.Errorf("a secret is in the log:\n%s", log)
	}
	if after := look(); after != before {
		t.Errorf("something was changed; before:\n%s\nafter:\n%s", before, after)
	}
}
