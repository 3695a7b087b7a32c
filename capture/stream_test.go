//go:build unix

package capture

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pglogrepl"

	"bluetap/internal/pgserver"
	"bluetap/internal/pgtest"
)

const schema = `
CREATE TABLE a (id int PRIMARY KEY, t text, n numeric);
ALTER TABLE a ALTER t SET STORAGE EXTERNAL;
CREATE TABLE f (id int PRIMARY KEY, t text, g int GENERATED ALWAYS AS (id * 2) STORED);
ALTER TABLE f REPLICA IDENTITY FULL;
CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);
`

var changeCases = []struct{ name, sql, want string }{
	{"insert", "INSERT INTO a VALUES (1, 'x', 1.50), (2, NULL, 'NaN')",
		"insert a - -> ('1', 'x', '1.50')\ninsert a - -> ('2', null, 'NaN')"},
	{"update", "UPDATE a SET n = 3 WHERE id = 1", "update a - -> ('1', 'x', '3')"},
	{"key update", "UPDATE a SET id = 9 WHERE id = 1", "update a ('1', null, null) -> ('9', 'x', '3')"},
	{"delete", "DELETE FROM a WHERE id = 9", "delete a ('9', null, null) -> -"},
	{"toast", "INSERT INTO a VALUES (3, repeat('x', 9000), 0)", "insert a - -> ('3', 'xxx…9000', '0')"},
	{"toast unchanged", "UPDATE a SET n = 1 WHERE id = 3", "update a - -> ('3', unchanged, '1')"},
	{"full", "BEGIN; INSERT INTO f VALUES (1, 'a'); UPDATE f SET t = 'b'; DELETE FROM f; COMMIT",
		"insert f - -> ('1', 'a')\nupdate f ('1', 'a') -> ('1', 'b')\ndelete f ('1', 'b') -> -"},
	{"copy", "COPY a FROM STDIN;\n5\ta\\tb\t0\n6\t\\N\t0\n\\.\n",
		"insert a - -> ('5', 'a\tb', '0')\ninsert a - -> ('6', null, '0')"},
	{"truncate", "TRUNCATE a, f", "truncate a - -> -\ntruncate f - -> -"},
	{"savepoint", `BEGIN; INSERT INTO a VALUES (1, 'a', 0); SAVEPOINT s; INSERT INTO a VALUES (2, 'b', 0);
		ROLLBACK TO s; INSERT INTO a VALUES (3, 'c', 0); COMMIT`,
		"insert a - -> ('1', 'a', '0')\ninsert a - -> ('3', 'c', '0')"},
	{"prepared", `BEGIN; INSERT INTO a VALUES (7, 'p', 0); PREPARE TRANSACTION 'x'; COMMIT PREPARED 'x'`,
		"insert a - -> ('7', 'p', '0')"},
	{"partitions", "INSERT INTO p VALUES (1, 'a'); ", "insert p - -> ('1', 'a')"},
	{"moved partition", "UPDATE p SET id = 11", "delete p ('1', null) -> -\ninsert p - -> ('11', 'a')"},
	{"column added", "ALTER TABLE p ADD w int; INSERT INTO p VALUES (2, 'b', 3)", "insert p - -> ('2', 'b', '3')"},
}

// TestChanges decodes every operation as Postgres sends it.
func TestChanges(t *testing.T) {
	s := newSource(t, schema, pgtest.WithParam("max_prepared_transactions", "5"))
	r := s.run(t)
	for _, c := range changeCases {
		before := time.Now().Add(-time.Second)
		s.Exec(t, "postgres", "BEGIN; INSERT INTO a VALUES (99, 'no', 0); ROLLBACK")
		s.Exec(t, "postgres", c.sql)
		tx := r.next(t)
		if got := changes(t, tx); got != c.want || got != changes(t, tx) {
			t.Errorf("%s:\n%s\nwant:\n%s", c.name, got, c.want)
		}
		after := time.Now().Add(time.Second)
		if tx.XID == 0 || tx.Time.Before(before) || tx.Time.After(after) || tx.Time.Location() != time.UTC {
			t.Errorf("%s: xid %d, time %s", c.name, tx.XID, tx.Time)
		}
	}
	if n := r.Status().Unknown; n != 0 {
		t.Errorf("%d messages of unknown kinds", n)
	}
}

// TestRelationIsStable holds that a table keeps its Relation over a reconnect as long as its shape is the same.
func TestRelationIsStable(t *testing.T) {
	s := newSource(t, schema)
	r := s.run(t)
	relation := func(sql string) *Relation {
		s.Exec(t, "postgres", sql)
		for c, err := range r.next(t).Changes() {
			if err != nil {
				t.Fatal(err)
			}
			return c.Relation
		}
		return nil
	}
	first := relation("INSERT INTO a VALUES (1)")
	if n := s.TerminateWalsenders(t); n != 1 {
		t.Fatalf("%d walsenders", n)
	}
	if second := relation("INSERT INTO a VALUES (2)"); second != first {
		t.Errorf("another relation after a reconnect: %+v, before %+v", second, first)
	}
	s.Exec(t, "postgres", "CREATE DOMAIN d AS numeric(9,2); CREATE DOMAIN dd AS d")
	third := relation("ALTER TABLE a ADD x dd, ADD y d[]; INSERT INTO a VALUES (3)")
	if third == first {
		t.Error("same relation after ADD COLUMN")
	}
	if got, want := third.Columns[3].Type, third.Columns[2].Type; got != want {
		t.Errorf("domain of domain resolved to %+v, want %+v", got, want)
	}
	if got := third.Columns[4].Type; got.Elem != third.Columns[2].Type.OID || got.OID == 0 {
		t.Errorf("array of domain resolved to %+v", got)
	}
	if !first.Columns[0].Key || first.Columns[1].Key {
		t.Errorf("key flags: %+v", first.Columns)
	}
}

// TestSpill sends a transaction of more than the budget through a file and back.
func TestSpill(t *testing.T) {
	s := newSource(t, schema)
	s.cfg.MemoryBudget = 100_000
	r := s.run(t)
	s.Exec(t, "postgres", `INSERT INTO a SELECT i, repeat(chr(97 + i % 26), i % 3000), i FROM generate_series(1, 5000) i;
		INSERT INTO f VALUES (1, repeat('y', 300000))`)
	tx := r.next(t)
	if tx.changes.spilled == nil || tx.changes.blocks != nil {
		t.Fatal("not spilled")
	}
	for range 2 {
		n := 0
		for c, err := range tx.Changes() {
			if err != nil {
				t.Fatal(err)
			}
			n++
			if got := len(c.New[1].Text); got != n%3000 {
				t.Fatalf("row %d has %d bytes", n, got)
			}
		}
		if n != 5000 {
			t.Fatalf("%d rows", n)
		}
	}
	if got := changes(t, r.next(t)); got != "insert f - -> ('1', 'yyy…300000')" {
		t.Errorf("large row: %s", got)
	}
	if left := names(t, s.cfg.SpillDir); left != nil {
		t.Errorf("left in the spill folder: %v", left)
	}
}

func (s *source) flushed(t *testing.T) LSN {
	t.Helper()
	lsn, err := pglogrepl.ParseLSN(s.Exec(t, "postgres", "SELECT confirmed_flush_lsn FROM pg_replication_slots"))
	if err != nil {
		t.Fatal(err)
	}
	return lsn
}

// everySecond makes a status go out every second, also without progress.
var everySecond = pgtest.WithParam("wal_sender_timeout", "3s")

// TestConfirm holds that Postgres is told what Confirm was told, and no more.
func TestConfirm(t *testing.T) {
	s := newSource(t, schema, everySecond)
	r := s.run(t)
	s.Exec(t, "postgres", "INSERT INTO a VALUES (1)")
	s.Exec(t, "postgres", "INSERT INTO a VALUES (2)")
	first, second := r.any(t), r.any(t)
	for first.Idle || second.Idle {
		first, second = second, r.any(t)
	}
	until(t, "a status after the first", func() bool { return r.Status().Connected })
	for range 3 { // a status each
		s.Exec(t, "postgres", "SELECT pg_sleep(1)")
		if got := s.flushed(t); got > s.start.Position {
			t.Fatalf("confirmed %s before anything was, which is beyond %s", got, s.start.Position)
		}
	}
	r.Confirm(first.End)
	until(t, "the first confirmed", func() bool { return s.flushed(t) == first.End })
	r.Confirm(second.End)
	r.Confirm(first.End)
	until(t, "the second confirmed", func() bool { return s.flushed(t) == second.End })
	if got := r.Status().Confirmed; got != second.End {
		t.Errorf("status says %s, want %s", got, second.End)
	}
}

// TestIdle holds that the position moves on when only others write.
func TestIdle(t *testing.T) {
	s := newSource(t, schema, everySecond)
	s.CreateDB(t, "other")
	r := s.run(t)
	s.Exec(t, "postgres", "CREATE SCHEMA x; CREATE TABLE x.y (i int); INSERT INTO x.y SELECT generate_series(1, 1000)")
	s.Exec(t, "other", "CREATE TABLE z (i int); INSERT INTO z SELECT generate_series(1, 1000)")
	goal, err := pglogrepl.ParseLSN(s.Exec(t, "postgres", "SELECT pg_current_wal_lsn()"))
	if err != nil {
		t.Fatal(err)
	}
	for tx := r.any(t); tx.End < goal; tx = r.any(t) {
		if !tx.Idle {
			t.Fatalf("transaction: %s", changes(t, tx))
		}
	}
	s.Exec(t, "postgres", "SELECT pg_sleep(1.5)") // a status
	if got := s.flushed(t); got > s.start.Position {
		t.Errorf("idle position %s was confirmed by itself", got)
	}
}

// TestResume holds that a stop at any confirmed position loses nothing and repeats only what was not confirmed.
func TestResume(t *testing.T) {
	s := newSource(t, schema)
	r := s.run(t)
	s.Exec(t, "postgres", "INSERT INTO a VALUES (1)")
	tx := r.next(t)
	s.Exec(t, "postgres", "INSERT INTO a VALUES (2)")
	again := r.any(t)
	for again.Idle {
		again = r.any(t)
	}
	r.halt(t)
	s.start.Position = tx.End
	r = s.run(t)
	if got := changes(t, r.next(t)); got != "insert a - -> ('2', null, null)" {
		t.Errorf("after the restart: %s", got)
	}
}

// TestBrokenLine holds that a killed walsender and a cut line neither lose nor repeat a transaction.
func TestBrokenLine(t *testing.T) {
	s := newSource(t, schema)
	proxy := pgtest.NewProxy(t, s.Addr())
	s.cfg.URL = s.URLAt(proxy.Addr(), "postgres")
	r := s.run(t)
	for i, cut := range []func(){func() {}, func() { s.TerminateWalsenders(t) }, proxy.Cut, proxy.Cut} {
		s.Exec(t, "postgres", "INSERT INTO a SELECT max(id) + 1 FROM (SELECT id FROM a UNION SELECT 0) x")
		if got, want := changes(t, r.next(t)), "insert a - -> ('"+string(rune('1'+i))+"', null, null)"; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		cut()
	}
	if n := strings.Count(s.log.String(), "msg=streaming "); n != 1 {
		t.Errorf("streaming logged %d times", n)
	}
}

// TestShutdown holds that nobody who takes nothing keeps Postgres from stopping.
func TestShutdown(t *testing.T) {
	for name, limit := range map[string]int64{"small queue": 1, "large queue": DefaultQueueBytes} {
		t.Run(name, func(t *testing.T) {
			s := newSource(t, schema)
			s.cfg.QueueBytes = limit
			r := s.run(t)
			until(t, "connected", func() bool { return r.Status().Connected })
			for range 3 {
				s.Exec(t, "postgres", "INSERT INTO a SELECT max(id) + 1 FROM (SELECT id FROM a UNION SELECT 0) x")
			}
			if took := s.Stop(t, pgserver.Fast); took > 20*time.Second { // and not until wal_sender_timeout
				t.Errorf("stopping took %s", took)
			}
			s.Start(t)
			for _, want := range []string{"1", "2", "3"} {
				if got := changes(t, r.next(t)); got != "insert a - -> ('"+want+"', null, null)" {
					t.Errorf("after the restart: %s", got)
				}
			}
		})
	}
}

// TestShutdownConfirmed holds that a shutdown is quick when what is received is confirmed.
func TestShutdownConfirmed(t *testing.T) {
	s := newSource(t, schema)
	r := s.run(t)
	s.Exec(t, "postgres", "INSERT INTO a VALUES (1)")
	r.next(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			tx, err := r.Next(t.Context())
			if err != nil {
				return
			}
			r.Confirm(tx.End)
		}
	}()
	if took := s.Stop(t, pgserver.Fast); took > 20*time.Second { // and not until wal_sender_timeout
		t.Errorf("stopping took %s", took)
	}
	r.halt(t)
	<-done
}

// TestCrash holds that a server that crashed is taken up again where it was.
func TestCrash(t *testing.T) {
	s := newSource(t, schema)
	r := s.run(t)
	s.Exec(t, "postgres", "INSERT INTO a VALUES (1)")
	r.next(t)
	s.Stop(t, pgserver.Immediate)
	s.Start(t)
	s.Exec(t, "postgres", "INSERT INTO a VALUES (2)")
	if got := changes(t, r.next(t)); got != "insert a - -> ('2', null, null)" {
		t.Errorf("after the crash: %s", got)
	}
	if r.Status().LastError == nil || r.Status().Reconnects == 0 {
		t.Errorf("status: %+v", r.Status())
	}
}
