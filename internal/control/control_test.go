package control_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"bluetap/internal/control"
)

func TestStatusOverTheSocket(t *testing.T) {
	dir := t.TempDir()
	started := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	want := control.Status{Version: "1.2.3", Running: true, StartedAt: &started,
		Webhooks: []control.Webhook{{ID: "a", Pending: 7}}}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	server := &control.Server{Dir: dir, Status: func() (control.Status, error) { return want, nil }}
	go func() { done <- server.Run(ctx) }()

	got := ask(t, dir)
	if got.Version != want.Version || !got.StartedAt.Equal(started) || got.Webhooks[0].Pending != 7 {
		t.Errorf("status = %+v, want %+v", got, want)
	}
	info, err := os.Stat(control.SocketPath(dir))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket mode = %v, %v; want 0600", info.Mode().Perm(), err)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run = %v after its context ended", err)
	}
}

// ask retries until the socket is there.
func ask(t *testing.T, dir string) control.Status {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		status, err := control.AskStatus(t.Context(), dir)
		if err == nil {
			return status
		}
		if !errors.Is(err, control.ErrNotRunning) {
			t.Fatal(err)
		}
		select {
		case <-deadline:
			t.Fatal("the socket did not appear")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestNotRunning(t *testing.T) {
	if _, err := control.AskStatus(t.Context(), t.TempDir()); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("err = %v, want ErrNotRunning", err)
	}
}

func TestLongPathIsRefused(t *testing.T) {
	server := &control.Server{Dir: "/" + strings.Repeat("x", 120)}
	if err := server.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "choose a shorter state.dir") {
		t.Errorf("err = %v, want one that says what to do", err)
	}
}
