//go:build unix

package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"bluetap/internal/blueschema"
	"bluetap/internal/config"
	"bluetap/internal/pgtest"
)

// TestConfirmsWhatIsSynced runs all but what fsyncs the state: Postgres is told nothing of what is merely applied,
// however often it is told something, and all of it once it is on disk.
func TestConfirmsWhatIsSynced(t *testing.T) {
	pg := pgtest.Start(t, pgtest.WithParam("wal_sender_timeout", "1s")) // so that a status goes out every third of one
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	d, p := prepared(t, pg.URL("postgres"))
	ctx, stop := context.WithCancelCause(t.Context())
	var group errgroup.Group
	group.Go(func() error { return p.stream.Run(ctx) })
	group.Go(func() error { return p.pipeline.run(ctx) })
	defer func() {
		stop(ErrStop)
		if err := group.Wait(); !errors.Is(err, ErrStop) {
			t.Errorf("ended with %v", err)
		}
	}()
	start := d.store.Synced()
	pg.Exec(t, "postgres", blueschema.InsertTodoCreated())
	wait(t, "the transaction applied", func() bool { return d.store.Applied() > start })
	for range 3 {
		pg.Exec(t, "postgres", "SELECT pg_sleep(0.5)")
		if got := uint64(p.stream.Status().Confirmed); got > start {
			t.Fatalf("confirmed %x before it was on disk; what is on disk ends at %x", got, start)
		}
	}
	applied := d.store.Applied()
	running, end := context.WithCancelCause(t.Context())
	group.Go(func() error { return d.store.Run(running) })
	defer end(ErrStop)
	wait(t, "what was applied is confirmed", func() bool { return uint64(p.stream.Status().Confirmed) >= applied })
}

// prepared is a daemon whose mirror is there, and its parts, of which none runs.
func prepared(t *testing.T, database string) (*daemon, *parts) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "bluetap.yaml")
	text := fmt.Sprintf("database: {url: '%s'}\nstate: {dir: %s}\nwebhooks:\n- {id: w, url: 'https://example.com/'}\n",
		database, filepath.Join(dir, "state"))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load(file, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{Options: Options{Config: c, Log: slog.New(slog.DiscardHandler)}, room: &room{dir: dir}}
	if d.store, err = openState(t.Context(), d.Options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.store.Close() })
	p, err := d.prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d, p
}

// wait asks often until it is true.
func wait(t *testing.T, what string, is func() bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(3 * time.Minute); !is(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatal("not in time: " + what)
		}
	}
}
