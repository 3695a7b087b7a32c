package daemon

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"bluetap/internal/hint"
	"bluetap/internal/store"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// failed returns a daemon whose store has failed, on a disk whose log cannot be written.
func failed(t *testing.T) *daemon {
	t.Helper()
	var fails atomic.Bool
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if fails.Load() && strings.HasSuffix(op.Path, ".log") {
			return syscall.ENOSPC
		}
		return nil
	}))
	st, err := store.Open("state", store.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	fails.Store(true)
	if err := st.SaveState(store.State{Generation: 1}); !errors.Is(err, store.ErrFailed) {
		t.Fatalf("got %v, want ErrFailed", err)
	}
	return &daemon{Options: Options{Log: slog.New(slog.DiscardHandler)}, store: st, room: &room{}}
}

func wantStateFailed(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrFailed) || !errors.Is(err, syscall.ENOSPC) || hint.Of(err) == "" {
		t.Errorf("got %v, want ErrFailed and ENOSPC with a hint", err)
	}
}

// TestFailureEndsAll holds that a store that has failed ends the parts, whatever they wait for, and says why, also
// where a part takes the end for an ordinary stop or never ends.
func TestFailureEndsAll(t *testing.T) {
	d := failed(t)
	for _, c := range []struct {
		name string
		part func(ctx context.Context, never <-chan struct{}) error
		took time.Duration
	}{
		{"waits for its context", func(ctx context.Context, _ <-chan struct{}) error { <-ctx.Done(); return nil }, 0},
		{"takes it for a stop", func(ctx context.Context, _ <-chan struct{}) error { <-ctx.Done(); return ErrStop }, 0},
		{"is stuck", func(_ context.Context, never <-chan struct{}) error { <-never; return nil }, failedStop},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, never := time.Now(), make(chan struct{})
				defer close(never)
				wantStateFailed(t, d.all(t.Context(), func(ctx context.Context) error { return c.part(ctx, never) }))
				if took := time.Since(began); took != c.took {
					t.Errorf("it took %s, want %s", took, c.took)
				}
			})
		})
	}
}

// TestStopEndsAll is an ordinary stop.
func TestStopEndsAll(t *testing.T) {
	well, err := store.Open("state", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{store: well}
	ctx, stop := context.WithCancelCause(t.Context())
	stop(ErrStop)
	err = d.all(ctx, func(ctx context.Context) error { return context.Cause(ctx) })
	if !errors.Is(err, ErrStop) {
		t.Errorf("got %v, want %v", err, ErrStop)
	}
	if err := well.Close(); err != nil {
		t.Error(err)
	}
}

// TestStuckPart has a part that never ends after the store has failed, one that does so with a word of its own, and one
// that takes it for an ordinary stop.
func TestStuckPart(t *testing.T) {
	d := failed(t)
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		wantStateFailed(t, d.wait(make(chan error)))
		if took := time.Since(began); took != failedStop {
			t.Errorf("waited %s, want %s", took, failedStop)
		}
		last := errors.New("the last word")
		done := make(chan error, 1)
		time.AfterFunc(failedStop/2, func() { done <- last })
		if err := d.wait(done); !errors.Is(err, last) {
			t.Errorf("got %v, want %v", err, last)
		}
		done <- ErrStop
		wantStateFailed(t, d.wait(done))
	})
}
