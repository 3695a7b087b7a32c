//go:build unix

package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"bluetap/internal/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 3 * time.Minute

var errTestOver = errors.New("test over")

// source is a server with a schema, a publication and a slot.
type source struct {
	*pgtest.Server
	cfg   Config
	start Start
	log   *logBuffer
}

// logBuffer is a log that tests read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func newConfig(t *testing.T, url string) (Config, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	})
	return Config{URL: url, Schema: "public", Slot: "tap", Publication: "Tap it", SpillDir: t.TempDir(),
		Log: slog.New(slog.NewTextHandler(log, nil))}, log
}

// newSource runs ddl and makes publication and slot for the tables that then exist.
func newSource(t *testing.T, ddl string, opts ...pgtest.Option) *source {
	t.Helper()
	s := &source{Server: pgtest.Start(t, opts...)}
	s.Exec(t, "postgres", ddl)
	s.cfg, s.log = newConfig(t, s.URL("postgres"))
	snapshot := s.snapshot(t)
	if err := snapshot.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *source) snapshot(t *testing.T) *Snapshot {
	t.Helper()
	tables, err := Tables(t.Context(), s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := EnsurePublication(t.Context(), s.cfg, tables); err != nil {
		t.Fatal(err)
	}
	snapshot, err := CreateSnapshot(t.Context(), s.cfg, tables)
	if err != nil {
		t.Fatal(err)
	}
	s.start = Start{Position: snapshot.ConsistentPoint, Source: snapshot.Source, Tables: tables}
	return snapshot
}

// running is a stream that runs.
type running struct {
	*Stream
	stop context.CancelCauseFunc
	done chan error
}

// run starts a stream, and stops it when the test ends.
func (s *source) run(t *testing.T) *running {
	t.Helper()
	ctx, stop := context.WithCancelCause(context.Background())
	r := &running{Stream: NewStream(s.cfg, s.start), stop: stop, done: make(chan error, 1)}
	go func() { r.done <- r.Run(ctx) }()
	t.Cleanup(func() { r.halt(t) })
	return r
}

// halt stops the stream; a second call does nothing.
func (r *running) halt(t *testing.T) {
	t.Helper()
	if r.done == nil {
		return
	}
	r.stop(errTestOver)
	select {
	case err := <-r.done:
		if !errors.Is(err, errTestOver) {
			t.Errorf("Run returned %v", err)
		}
	case <-time.After(patience):
		t.Error("Run did not return")
	}
	r.done = nil
}

// failed waits for the stream to give up.
func (r *running) failed(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.done:
		r.done = nil
		return err
	case <-time.After(patience):
		t.Fatal("Run did not return")
		return nil
	}
}

// next returns the next transaction that is not idle, confirming everything up to it.
func (r *running) next(t *testing.T) *Transaction {
	t.Helper()
	for {
		tx := r.any(t)
		r.Confirm(tx.End)
		if !tx.Idle {
			t.Cleanup(func() { _ = tx.Close() })
			return tx
		}
	}
}

func (r *running) any(t *testing.T) *Transaction {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tx, err := r.Next(ctx)
	if err != nil {
		t.Fatalf("next transaction: %v", err)
	}
	return tx
}

// until polls ok until it is true.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("not within %s: %s", patience, what)
		case <-tick.C:
		}
	}
}

// changes prints a transaction, one line a change.
func changes(t *testing.T, tx *Transaction) string {
	t.Helper()
	var b strings.Builder
	for c, err := range tx.Changes() {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s %s -> %s\n", [...]string{"insert", "update", "delete", "truncate"}[c.Op],
			c.Relation.Name, row2text(c.Old), row2text(c.New))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func row2text(values []Value) string {
	if values == nil {
		return "-"
	}
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = [...]string{"null", "unchanged", "'" + shorten(v.Text) + "'"}[v.State]
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func shorten(b []byte) string {
	if len(b) > 30 {
		return fmt.Sprintf("%s…%d", b[:3], len(b))
	}
	return string(b)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func writeFile(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
}
