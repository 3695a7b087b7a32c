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

// TestFailureEndsAll holds that a store that has failed ends the parts, whatever they wait for, and says why.
func TestFailureEndsAll(t *testing.T) {
	d := failed(t)
	wantStateFailed(t, d.failure(t.Context()))
	well, err := store.Open("state", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	stop(ErrStop)
	d.store = well
	if err := errors.Join(d.failure(ctx), well.Close()); err != nil {
		t.Errorf("an ordinary stop: %v", err)
	}
}

// TestStuckPart has a part that never ends after the store has failed, and one that does, with a word of its own.
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
	})
}
