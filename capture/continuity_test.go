//go:build unix

package capture

import (
	"cmp"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"bluetap/internal/hint"
	"bluetap/internal/pgtest"
)

const drop = "SELECT pg_drop_replication_slot('tap');"

// breaks are the ways in which a state and a slot may not fit. The last ones build on each other.
var breaks = []struct {
	name   string
	spoil  func(start *Start)
	sql    string
	db     string
	want   error
	reason string
}{
	{name: "another system", spoil: func(s *Start) { s.Source.SystemID = "1" }, want: ErrWrongSource},
	{name: "another database", spoil: func(s *Start) { s.Source.DatabaseOID++ }, want: ErrWrongSource},
	{name: "another name", spoil: func(s *Start) { s.Source.Database = "x" }, want: ErrWrongSource},
	{name: "beyond the log", spoil: func(s *Start) { s.Position *= 2 }, want: ErrGap, reason: "log ends before"},
	{name: "received beyond", spoil: func(s *Start) { s.Received = s.Position * 2 }, want: ErrGap, reason: "log ends"},
	{name: "slot ahead", spoil: func(s *Start) { s.Position /= 2 }, want: ErrGap, reason: "ahead of what is stored"},
	{name: "from the future", spoil: func(s *Start) { s.Source.Timeline = 7 }, want: ErrGap, reason: "timeline 1"},
	{name: "plugin", sql: drop + "SELECT pg_create_logical_replication_slot('tap', 'test_decoding')",
		want: ErrGap, reason: `"test_decoding"`},
	{name: "physical", sql: drop + "SELECT pg_create_physical_replication_slot('tap')", want: ErrGap, reason: "plugin"},
	{name: "database", sql: drop + "SELECT pg_create_logical_replication_slot('tap', 'pgoutput')", db: "other",
		want: ErrGap, reason: `database "other"`},
	{name: "no slot", sql: drop, db: "other", want: ErrGap, reason: "does not exist"},
}

// TestContinuity holds that a stream does not begin where changes may be missing, and says what is the matter.
func TestContinuity(t *testing.T) {
	s := newSource(t, schema)
	s.CreateDB(t, "other")
	for _, c := range breaks {
		t.Run(c.name, func(t *testing.T) {
			mine := *s
			if c.sql != "" {
				s.Exec(t, cmp.Or(c.db, "postgres"), c.sql)
			} else {
				c.spoil(&mine.start)
			}
			err := mine.run(t).failed(t)
			var gap *GapError
			if !errors.Is(err, c.want) || errors.As(err, &gap) && !strings.Contains(gap.Reason, c.reason) {
				t.Errorf("error %v, want %v with %q", err, c.want, c.reason)
			}
			if hint.Of(err) == "" || Retryable(err) {
				t.Errorf("hint %q, retryable %t", hint.Of(err), Retryable(err))
			}
		})
	}
}

// TestNextTellsWhy holds that who waits for a transaction learns why there will be none.
func TestNextTellsWhy(t *testing.T) {
	s := newSource(t, schema)
	s.Exec(t, "postgres", "SELECT pg_drop_replication_slot('tap')")
	r := s.run(t)
	_, err := r.Next(t.Context())
	if !errors.Is(err, ErrClosed) || !errors.Is(err, ErrGap) || hint.Of(err) == "" {
		t.Errorf("Next: %v", err)
	}
	_, again := r.Next(t.Context())
	if !errors.Is(again, ErrGap) || !errors.Is(r.failed(t), ErrGap) {
		t.Errorf("second Next: %v", again)
	}
}

// TestGapWhileRunning holds that a lost slot or publication ends a stream that ran well.
func TestGapWhileRunning(t *testing.T) {
	for name, c := range map[string]struct {
		sql string
		is  func(error) bool
	}{
		"slot": {"SELECT pg_drop_replication_slot('tap')", func(err error) bool { return errors.Is(err, ErrGap) }},
		"publication": {`DROP PUBLICATION "Tap it"`, func(err error) bool {
			var pub *PublicationError
			return errors.As(err, &pub) && strings.HasPrefix(hint.Of(err), "CREATE PUBLICATION")
		}},
		"table": {`ALTER PUBLICATION "Tap it" DROP TABLE f`, func(err error) bool {
			var pub *PublicationError
			return errors.As(err, &pub)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSource(t, schema)
			proxy := pgtest.NewProxy(t, s.Addr())
			s.cfg.URL = s.URLAt(proxy.Addr(), "postgres")
			r := s.run(t)
			s.Exec(t, "postgres", "INSERT INTO a VALUES (1)")
			r.next(t)
			proxy.Stall()
			proxy.Cut()
			until(t, "walsender gone", func() bool {
				return s.Exec(t, "postgres", "SELECT active FROM pg_replication_slots") == "f"
			})
			s.Exec(t, "postgres", c.sql)
			proxy.Resume()
			if err := r.failed(t); !c.is(err) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestLostSlot holds that an invalidated slot is a gap, and not retried.
func TestLostSlot(t *testing.T) {
	s := newSource(t, schema, pgtest.WithParam("max_slot_wal_keep_size", "1MB"), pgtest.WithParam("max_wal_size", "32MB"))
	for range 6 {
		s.Exec(t, "postgres", "INSERT INTO a SELECT count(*) FROM a; SELECT pg_switch_wal()")
	}
	s.Exec(t, "postgres", "CHECKPOINT")
	err := s.run(t).failed(t)
	var gap *GapError
	if !errors.As(err, &gap) || !strings.Contains(gap.Reason, "invalidated") {
		t.Errorf("error %v", err)
	}
}

// TestReceived begins a stream after a transaction that was received before, and not stored: it does not come again,
// Postgres is not told of it, and a server that does not have it is no continuation.
func TestReceived(t *testing.T) {
	s := newSource(t, schema)
	r := s.run(t)
	s.Exec(t, "postgres", "INSERT INTO a VALUES (1)")
	tx := r.any(t)
	for tx.Idle {
		tx = r.any(t)
	}
	r.halt(t)
	s.start.Received = tx.End
	if err := CheckContinuity(t.Context(), s.cfg, s.start); err != nil {
		t.Error(err)
	}
	s.Exec(t, "postgres", "INSERT INTO a VALUES (2)")
	r = s.run(t)
	if at := r.Status(); at.Received < tx.End || at.Confirmed != s.start.Position {
		t.Errorf("received %s, confirmed %s", at.Received, at.Confirmed)
	}
	if got := changes(t, r.next(t)); got != "insert a - -> ('2', null, null)" {
		t.Error(got)
	}
	if err := CheckContinuity(t.Context(), s.cfg, s.start); err != nil {
		t.Errorf("while it runs: %v", err)
	}
	r.halt(t)
	s.start.Received *= 2
	if err := CheckContinuity(t.Context(), s.cfg, s.start); !errors.Is(err, ErrGap) {
		t.Errorf("not reached by the server: %v", err)
	}
}

// TestTimeline holds that a server that took over is followed if it has all that we have, and only then.
func TestTimeline(t *testing.T) {
	s := newSource(t, schema)
	var recorded atomic.Uint32
	s.start.OnTimeline = func(timeline uint32) error {
		recorded.Store(timeline)
		return nil
	}
	r := s.run(t)
	s.Exec(t, "postgres", "INSERT INTO a VALUES (1)")
	r.next(t)
	s.promote(t)
	s.Exec(t, "postgres", "INSERT INTO a VALUES (2)")
	tx := r.next(t)
	if got := changes(t, tx); got != "insert a - -> ('2', null, null)" || recorded.Load() != 2 {
		t.Errorf("after the switch: %s, timeline %d", got, recorded.Load())
	}
	r.halt(t)
	s.start.Position = tx.End // stored on timeline 2, but the state says 1: another server wrote what we have
	err := s.run(t).failed(t)
	var gap *GapError
	if !errors.As(err, &gap) || !strings.Contains(gap.Reason, "timeline 2") || gap.Server == 0 || gap.Server > tx.End {
		t.Errorf("error %v", err)
	}
}

// TestSwitchPoint reads a history file of several switches.
func TestSwitchPoint(t *testing.T) {
	history := []byte("1\t0/A000198\tno recovery target specified\n\n2\t1/B0\tbefore 2000-01-01\n")
	for timeline, want := range map[uint32]LSN{1: 0xA000198, 2: 1<<32 + 0xB0, 3: 0, 12: 0} {
		if got, err := switchPoint(history, timeline); err != nil || got != want {
			t.Errorf("timeline %d: %s (%v), want %s", timeline, got, err, want)
		}
	}
	if _, err := switchPoint([]byte("1\tx\ty"), 1); err == nil {
		t.Error("no error")
	}
}
