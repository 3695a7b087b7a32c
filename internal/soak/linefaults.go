//go:build unix

package soak

import (
	"context"
	"time"
)

// connectPatience is how long a fault of a connection waits for one: a daemon that was just struck may not have one.
const connectPatience = 5 * time.Second

func (f *faults) cutLine(ctx context.Context) error {
	f.line.connected(ctx, connectPatience)
	if f.line.cut() == 0 {
		return errMissed
	}
	return nil
}

func (f *faults) halfCloseLine(ctx context.Context) error {
	f.line.connected(ctx, connectPatience)
	if f.line.halfClose(f.random.IntN(2) == 0) == 0 {
		return errMissed
	}
	return nil
}

// stallLine lets nothing through, now and then for longer than the server waits.
func (f *faults) stallLine(ctx context.Context) error { return f.hamper(ctx, lineStalled, 4*f.pause) }

func (f *faults) slowLine(ctx context.Context) error { return f.hamper(ctx, lineSlow, 2*f.pause) }

// hamper changes the pace of the line for a while. It struck if something was held up.
func (f *faults) hamper(ctx context.Context, to pace, most time.Duration) error {
	f.line.set(to)
	felt := f.last(ctx, most)
	if held := f.line.set(lineFree); !felt || held == 0 {
		return errMissed
	}
	return nil
}
