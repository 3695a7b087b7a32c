//go:build unix

package capture

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/hint"
	"bluetap/internal/pgtest"
)

// rows is a copy of the tables, by table and first column.
type rows struct {
	mu     sync.Mutex
	m      map[string]string
	closed int
}

func (r *rows) Row(t *Table, values []Value) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := t.Name + " " + string(values[0].Text)
	if old, ok := r.m[key]; ok {
		return fmt.Errorf("row %s twice: %s", key, old)
	}
	r.m[key] = row2text(values)
	return nil
}

func (r *rows) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed++
	return nil
}

// apply applies a transaction as a mirror would, strictly: what is not there cannot change.
func (r *rows) apply(t *testing.T, tx *Transaction) {
	t.Helper()
	for c, err := range tx.Changes() {
		if err != nil {
			t.Fatal(err)
		}
		var before string
		if old := c.Old; c.Op != Insert {
			if old == nil {
				old = c.New
			}
			key := c.Relation.Name + " " + string(old[0].Text)
			if before = r.m[key]; before == "" {
				t.Fatalf("change of a row that is not there: %s", key)
			}
			delete(r.m, key)
		}
		if c.New == nil {
			continue
		}
		if err := r.Row(&Table{Name: c.Relation.Name}, c.New); err != nil {
			t.Fatal(err)
		}
		key := c.Relation.Name + " " + string(c.New[0].Text)
		if parts := strings.Split(before, ", "); strings.Contains(r.m[key], ", unchanged, ") {
			r.m[key] = strings.Replace(r.m[key], "unchanged", parts[1], 1)
		}
	}
}

// writeUntil commits transactions on its own and on common rows until stop is closed.
func writeUntil(t *testing.T, conn *pgconn.PgConn, w int, stop <-chan struct{}) {
	t.Helper()
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		id := 10_000_000*(w+1) + i // no writer comes to where the next began
		sql := fmt.Sprintf(`BEGIN; INSERT INTO a VALUES (%d, 'new', 1); UPDATE a SET t = 'w%d' WHERE id = %d;
			DELETE FROM a WHERE id = %d; COMMIT`, id, i, 1+(i*3+w)%3000, id-5)
		if _, err := conn.Exec(context.Background(), sql).ReadAll(); err != nil {
			t.Errorf("write: %v", err)
			return
		}
	}
}

// TestSnapshotAndStream holds that a snapshot taken amid writers and the stream after it are together exactly what
// is in the tables at the end.
func TestSnapshotAndStream(t *testing.T) {
	s := &source{Server: pgtest.Start(t)}
	s.Exec(t, "postgres", schema+`
		INSERT INTO a SELECT i, E'a\\b\tc\nd\re' || i, i / 7.0 FROM generate_series(1, 3000) i;
		INSERT INTO a VALUES (0, NULL, NULL), (-1, '', 0), (-2, E'\\N', 0), (-3, E'\b\f\x0b', 0);
		INSERT INTO p SELECT i, i FROM generate_series(0, 19) i; INSERT INTO f VALUES (1, 'f')`)
	s.cfg, s.log = newConfig(t, s.URL("postgres"))
	stop, writers := make(chan struct{}), sync.WaitGroup{}
	for w := range 3 {
		conn := s.Conn(t, "postgres")
		writers.Go(func() { writeUntil(t, conn.PgConn(), w, stop) })
	}
	snapshot := s.snapshot(t)
	mirror := &rows{m: map[string]string{}}
	err := snapshot.Copy(t.Context(), s.start.Tables, 3, func() (Sink, error) { return mirror, nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := snapshot.Close(); err != nil || mirror.closed != 3 {
		t.Errorf("close: %v; %d sinks closed", err, mirror.closed)
	}
	if got := mirror.m["a -3"] + mirror.m["a -2"] + mirror.m["a -1"] + mirror.m["a 0"]; got !=
		"('-3', '\b\f\v', '0')('-2', '\\N', '0')('-1', '', '0')('0', null, null)" {
		t.Errorf("special values: %q", got)
	}
	close(stop)
	writers.Wait()
	s.Exec(t, "postgres", "INSERT INTO f VALUES (2, 'end')")
	r := s.run(t)
	for mirror.m["f 2"] == "" {
		mirror.apply(t, r.next(t))
	}
	compare(t, s, mirror.m)
}

// compare holds the mirror against the tables as COPY of a fresh slot's snapshot gives them.
func compare(t *testing.T, s *source, got map[string]string) {
	t.Helper()
	s.cfg.Slot = "compare"
	want := &rows{m: map[string]string{}}
	snapshot, err := CreateSnapshot(t.Context(), s.cfg, s.start.Tables)
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	err = snapshot.Copy(t.Context(), s.start.Tables, 1, func() (Sink, error) { return want, nil })
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want.m) {
		t.Errorf("%d rows, want %d", len(got), len(want.m))
	}
	for key, row := range want.m {
		if got[key] != row {
			t.Errorf("%s is %s, want %s", key, got[key], row)
		}
	}
}

// TestPieces holds that a table read in pieces is read whole and once.
func TestPieces(t *testing.T) {
	s := newSource(t, schema+"INSERT INTO a SELECT i, repeat('x', 500) FROM generate_series(1, 200000) i")
	s.cfg.Slot = "other"
	snapshot := s.snapshot(t)
	defer snapshot.Close()
	tables := s.start.Tables[:1]
	tables[0].Columns = tables[0].Columns[:1]
	mirror := &rows{m: map[string]string{}}
	if err := snapshot.Copy(t.Context(), tables, 2, func() (Sink, error) { return mirror, nil }); err != nil {
		t.Fatal(err)
	}
	if len(mirror.m) != 200000 || mirror.m["a 7"] != "('7')" {
		t.Errorf("%d rows, row 7 is %s", len(mirror.m), mirror.m["a 7"])
	}
	for readable, want := range map[bool]int{true: 100, false: 1} {
		if n := len(tables[0].pieces(100*pieceBlocks*8192, 8192, readable)); n != want {
			t.Errorf("%d pieces of a table that may be read wholly (%t), want %d", n, readable, want)
		}
	}
	sick := errors.New("sick")
	err := snapshot.Copy(t.Context(), tables, 2, func() (Sink, error) { return sickSink{sick}, nil })
	if !errors.Is(err, sick) {
		t.Errorf("failing sink: %v", err)
	}
}

type sickSink struct{ error }

func (s sickSink) Row(*Table, []Value) error { return s.error }
func (s sickSink) Close() error              { return nil }

// TestSlotCreationWaits holds that it is said which transaction a slot creation waits for.
func TestSlotCreationWaits(t *testing.T) {
	s := &source{Server: pgtest.Start(t, pgtest.WithParam("max_prepared_transactions", "2"))}
	s.Exec(t, "postgres", schema)
	s.cfg, s.log = newConfig(t, s.URL("postgres"))
	conn := s.Conn(t, "postgres")
	if _, err := conn.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "INSERT INTO a VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	made := make(chan error, 1)
	go func() {
		snapshot, err := CreateSnapshot(t.Context(), s.cfg, nil)
		if err == nil {
			err = snapshot.Close()
		}
		made <- err
	}()
	want := fmt.Sprintf("pid=%d age=", conn.PgConn().PID())
	until(t, "the pid in the log", func() bool { return strings.Contains(s.log.String(), want) })
	if _, err := conn.Exec(t.Context(), "PREPARE TRANSACTION 'stuck'"); err != nil {
		t.Fatal(err)
	}
	until(t, "the prepared transaction in the log", func() bool {
		return strings.Contains(s.log.String(), "prepared=stuck")
	})
	s.Exec(t, "postgres", "COMMIT PREPARED 'stuck'")
	select {
	case err := <-made:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(patience):
		t.Fatal("slot creation still waits")
	}
}

// TestSlotCreationCancelled holds that a creation that is given up leaves neither a slot nor a process.
func TestSlotCreationCancelled(t *testing.T) {
	s := &source{Server: pgtest.Start(t)}
	s.Exec(t, "postgres", schema)
	s.cfg, s.log = newConfig(t, s.URL("postgres"))
	conn := s.Conn(t, "postgres")
	if _, err := conn.PgConn().Exec(t.Context(), "BEGIN; INSERT INTO a VALUES (1)").ReadAll(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	made := make(chan error, 1)
	go func() {
		_, err := CreateSnapshot(ctx, s.cfg, nil)
		made <- err
	}()
	walsenders := func() string {
		return s.Exec(t, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender'")
	}
	until(t, "creation waits", func() bool {
		return s.Exec(t, "postgres", "SELECT count(*) FROM pg_locks WHERE NOT granted") == "1"
	})
	cancel()
	if err := <-made; err == nil || Retryable(err) {
		t.Errorf("error %v", err)
	}
	until(t, "no walsender", func() bool { return walsenders() == "0" })
	if exists, err := SlotExists(t.Context(), s.cfg); exists || err != nil {
		t.Errorf("slot exists: %t (%v)", exists, err)
	}
}

// TestSnapshotRefused holds that a server that cannot decode says what to do.
func TestSnapshotRefused(t *testing.T) {
	s := &source{Server: pgtest.Start(t, pgtest.WithParam("wal_level", "replica"))}
	s.cfg, s.log = newConfig(t, s.URL("postgres"))
	_, err := CreateSnapshot(t.Context(), s.cfg, nil)
	if err == nil || Retryable(err) || !strings.Contains(hint.Of(err), "wal_level = logical") {
		t.Errorf("error %v, hint %q", err, hint.Of(err))
	}
}
