// Package daemon wires the parts together: start, run, drain, stop. pipeline.go is the way of a transaction.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"bluetap/internal/config"
	"bluetap/internal/control"
	"bluetap/internal/hint"
	"bluetap/internal/store"
)

// ErrStop is the cause with which the context of Run is cancelled for an ordinary stop.
var ErrStop = errors.New("stopping")

// failedStop bounds how long Run waits for its parts once the store has failed: some may be stuck in it for ever.
const failedStop = 15 * time.Second

// Options are what Run needs.
type Options struct {
	Config  *config.Config
	Version string // as `bluetap version` prints it
	Log     *slog.Logger
}

// daemon is one run.
type daemon struct {
	Options
	store   *store.Store
	started time.Time
	room    *room
	parts   atomic.Pointer[parts] // nil until the mirror is there
}

// Run streams, maps and delivers until ctx ends, which is an ordinary stop if its cause is ErrStop: requests under way
// get 10 s, and Run returns nil. Any other return is an error, with the next thing to do where there is one.
func Run(ctx context.Context, o Options) (err error) {
	st, err := openState(ctx, o)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := st.Close(); err == nil {
			err = advise(closeErr)
		}
	}()
	d := &daemon{Options: o, store: st, started: time.Now(), room: &room{dir: o.Config.State.Dir}}
	server := &control.Server{Dir: o.Config.State.Dir, Status: d.status, Revive: d.revive,
		State: func() any { return keptOf(st) }}
	// The socket is there from the beginning: a first snapshot may take an hour.
	return advise(ended(d.all(ctx, server.Run, func(ctx context.Context) error {
		p, err := d.prepare(ctx)
		if err != nil {
			return err
		}
		d.parts.Store(p)
		return d.run(ctx, p)
	})))
}

// all runs the parts until one fails, the store does, or ctx ends.
func (d *daemon) all(ctx context.Context, parts ...func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range append(parts, d.failure) {
		group.Go(func() error { return part(ctx) })
	}
	done := make(chan error, 1)
	go func() { done <- group.Wait() }()
	return d.wait(done)
}

// failure waits for the store to fail, or for ctx.
func (d *daemon) failure(ctx context.Context) error {
	select {
	case <-d.store.Failed():
		return d.stateFailed(d.store.Err())
	case <-ctx.Done():
		return nil
	}
}

// wait waits for all parts. Once the store has failed one may be stuck in it for ever: then the wait is bounded, and
// ending the process is what frees the rest.
func (d *daemon) wait(done <-chan error) error {
	select {
	case err := <-done:
		return d.why(err)
	case <-d.store.Failed():
	}
	select {
	case err := <-done:
		return d.why(err)
	case <-time.After(failedStop):
		d.Log.Warn("some parts did not stop after the state failed", "err", d.store.Err())
		return d.stateFailed(d.store.Err())
	}
}

// why returns what the parts ended with. After an ordinary stop during which the store failed that is the failure.
func (d *daemon) why(err error) error {
	if ended(err) == nil && d.store.Err() != nil {
		return d.stateFailed(d.store.Err())
	}
	return err
}

// advise adds what to do where the disk or the database of the state gave up and nothing better was said: it may have
// been any call that met it first.
func advise(err error) error {
	if hint.Of(err) != "" || !errors.Is(err, store.ErrFailed) && !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return hint.New(err, "free space or mend the disk under state.dir, then start again: "+
		"nothing that was confirmed is lost")
}

// ended turns what came of an ordinary stop into nil.
func ended(err error) error {
	if errors.Is(err, ErrStop) {
		return nil
	}
	return err
}

// run runs the parts until one fails or ctx ends. The store goes last, so that what the others did is fsynced.
func (d *daemon) run(ctx context.Context, p *parts) error {
	storeCtx, stopStore := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stopStore(ErrStop)
	work, workCtx := errgroup.WithContext(ctx)
	var storeErr error
	storeDone := make(chan struct{})
	go func() {
		defer close(storeDone)
		storeErr = d.store.Run(storeCtx)
	}()
	work.Go(func() error {
		select {
		case <-storeDone:
			return storeErr
		case <-workCtx.Done():
			return context.Cause(workCtx)
		}
	})
	work.Go(func() error { return d.stream(workCtx, p) })
	work.Go(func() error { return p.pipeline.run(workCtx) })
	work.Go(func() error { return p.deliverer.Run(workCtx) })
	work.Go(func() error { return p.watch(workCtx) })
	work.Go(func() error { return p.limits.run(workCtx) })
	err := work.Wait()
	stopStore(ErrStop)
	if <-storeDone; ended(storeErr) != nil {
		return d.stateFailed(storeErr)
	}
	return d.room.explain(err)
}

func (d *daemon) stateFailed(err error) error {
	return advise(fmt.Errorf("keep state: %w", d.room.explain(err)))
}
