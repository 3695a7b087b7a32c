//go:build unix

package capture

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"bluetap/internal/hint"
	"bluetap/internal/pgserver"
	"bluetap/internal/pgtest"
)

// TestRefusedAtStart holds that what only a person can mend ends a first start at once, with advice and no secret.
func TestRefusedAtStart(t *testing.T) {
	s := newSource(t, schema)
	s.Exec(t, "postgres", "CREATE ROLE plain LOGIN PASSWORD 'hush1'")
	for name, url := range map[string]string{
		"password":  s.URLFor("plain", "hush2", "postgres"),
		"database":  s.URL("nowhere"),
		"privilege": s.URLFor("plain", "hush1", "postgres"),
	} {
		mine := *s
		mine.cfg.URL = url
		err := mine.run(t).failed(t)
		if hint.Of(err) == "" || Retryable(err) || strings.Contains(err.Error()+hint.Of(err), "hush") {
			t.Errorf("%s: error %v, hint %q", name, err, hint.Of(err))
		}
	}
	for name, broken := range map[string]Config{
		"slot": {URL: s.cfg.URL, Slot: "No; way", Publication: "p", Schema: "public"},
		"url":  {URL: "postgres://u:hush@h:x/", Slot: "a", Publication: "p", Schema: "public"},
	} {
		err := NewStream(broken, s.start).Run(t.Context())
		if err == nil || Retryable(err) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestUnreachableAtStart holds that a server that is down is waited for, and a stop is obeyed meanwhile.
func TestUnreachableAtStart(t *testing.T) {
	s := newSource(t, schema)
	s.Stop(t, pgserver.Fast)
	r := s.run(t)
	until(t, "an attempt", func() bool { return r.Status().LastError != nil })
	if _, err := Tables(t.Context(), s.cfg); !Retryable(err) {
		t.Errorf("not retryable: %v", err)
	}
	s.Start(t)
	s.Exec(t, "postgres", "INSERT INTO a VALUES (1)")
	r.next(t)
	s.Stop(t, pgserver.Fast)
	until(t, "broken", func() bool { return !r.Status().Connected })
	r.halt(t)
}

// TestSlotActive holds that a slot that somebody else reads is waited for, with the process in the log.
func TestSlotActive(t *testing.T) {
	s := newSource(t, schema)
	first := s.run(t)
	until(t, "first connected", func() bool { return first.Status().Connected })
	second := s.run(t)
	pid := s.Exec(t, "postgres", "SELECT active_pid FROM pg_replication_slots")
	until(t, "the pid in the log", func() bool { return strings.Contains(s.log.String(), "server process "+pid) })
	first.halt(t)
	s.Exec(t, "postgres", "INSERT INTO a VALUES (1)")
	second.next(t)
}

// TestFullQueue holds that a reader that takes nothing gets everything once it does, with bounded memory meanwhile
// and the connection given up.
func TestFullQueue(t *testing.T) {
	s := newSource(t, schema)
	s.cfg.QueueBytes, s.cfg.MemoryBudget = 50_000, 10_000
	r := s.run(t)
	const n = 300
	s.Exec(t, "postgres", strings.Repeat("INSERT INTO a SELECT count(*), repeat('x', 9000) FROM a;", n))
	until(t, "paused", func() bool { return r.Status().LastError != nil && !r.Status().Connected })
	if queued := r.Status().Queued; queued > 100_000 {
		t.Errorf("%d bytes queued", queued)
	}
	for i := range n {
		tx := r.next(t)
		for c, err := range tx.Changes() {
			if err != nil {
				t.Fatal(err)
			}
			if got, want := string(c.New[0].Text), strconv.Itoa(i); got != want {
				t.Fatalf("row %s, want %s", got, want)
			}
		}
		if err := tx.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStalledLine holds that a line that swallows everything does not hold up a stop.
func TestStalledLine(t *testing.T) {
	s := newSource(t, schema)
	proxy := pgtest.NewProxy(t, s.Addr())
	s.cfg.URL = s.URLAt(proxy.Addr(), "postgres")
	r := s.run(t)
	until(t, "connected", func() bool { return r.Status().Connected })
	proxy.Stall()
	began := time.Now()
	r.halt(t)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("stopping took %s", took)
	}
}
