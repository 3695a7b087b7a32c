package daemon

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bluetap/capture"
	"bluetap/internal/config"
	"bluetap/internal/store"
)

// TestReceivedFillsState: what was received before reading stopped is applied while it alone fills the state, since
// nothing else would take it from the disk, and waits where the state itself is full.
func TestReceivedFillsState(t *testing.T) {
	const size = 64 << 20
	for name, tc := range map[string]struct {
		max, beside uint64
		passes      bool
	}{
		"received": {max: size, beside: size, passes: true},
		"both":     {max: 1000, beside: size},
		"state":    {max: 1000},
	} {
		st, err := store.Open(filepath.Join(t.TempDir(), "state"), store.Options{MaxBytes: tc.max})
		if err != nil {
			t.Fatal(err)
		}
		l := &limits{store: st, stream: capture.NewStream(capture.Config{}, capture.Start{}), max: config.Bytes(tc.max),
			beside: func() uint64 { return tc.beside }, log: slog.New(slog.DiscardHandler)}
		if err := l.stopIfFull(); err != nil {
			t.Fatal(err)
		}
		if l.paused() == "" || !strings.Contains(l.paused(), "90 %") {
			t.Errorf("%s: reading goes on, as nothing was full: %q", name, l.paused())
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		switch err := l.pass(ctx); {
		case tc.passes && err != nil:
			t.Errorf("%s: what was received waits for room that only it can make: %v", name, err)
		case !tc.passes && !errors.Is(err, context.DeadlineExceeded):
			t.Errorf("%s: applied beyond the limit: %v", name, err)
		}
		cancel()
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
