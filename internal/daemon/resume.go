package daemon

import (
	"context"
	"errors"
	"fmt"

	"bluetap/capture"
)

// streamStart says where the stream begins. A large transaction that a crash left staged need not be sent again; but if
// the server's history has lost it, it never was for all that anybody will see, and is undone.
func (d *daemon) streamStart(ctx context.Context, source capture.Config, tables []capture.Table,
	wanted func(*capture.Relation) []bool,
) (capture.Start, error) {
	state := d.store.State()
	start := capture.Start{
		Position:   capture.LSN(d.store.Applied()),
		Source:     identityOf(state.Source),
		Tables:     tables,
		Membership: state.Membership,
		Wanted:     wanted,
		OnTimeline: d.newTimeline,
	}
	staged, ok, err := d.store.Staged()
	if err != nil || !ok {
		return start, err
	}
	with := start
	with.Received = capture.LSN(staged.End)
	lost := d.continues(ctx, source, with)
	if !errors.Is(lost, capture.ErrGap) {
		return with, lost
	}
	if err := d.continues(ctx, source, start); err != nil {
		return start, err // what is staged is not all that is missing
	}
	if err := d.store.Unstage(ctx); err != nil {
		return start, fmt.Errorf("undo staged transaction: %w", err)
	}
	d.Log.Warn("staged transaction undone, of which nothing was sent: the server's history does not hold it",
		"position", with.Received.String(), "from", start.Position.String(), "err", lost)
	return start, nil
}

// continues tells whether the server's history holds what start says that we have.
func (d *daemon) continues(ctx context.Context, source capture.Config, start capture.Start) error {
	return d.untilReachable(ctx, func() error { return capture.CheckContinuity(ctx, source, start) })
}

// stream runs the stream once a staged transaction has been resumed: what came meanwhile would take room that was
// promised to that, and memory.
func (d *daemon) stream(ctx context.Context, p *parts) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.pipeline.resumed:
	}
	return d.anew(p.stream.Run(ctx))
}

// busy says why nothing is received yet, or "".
func (p *pipeline) busy() string {
	if !p.resuming.Load() {
		return ""
	}
	return "a large transaction that was interrupted is finished first"
}
