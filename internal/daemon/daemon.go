// Package daemon wires the parts together: start, run, drain, stop. pipeline.go is the way of a transaction.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"bluetap/capture"
	"bluetap/deliver"
	"bluetap/internal/config"
	"bluetap/internal/control"
	"bluetap/internal/hint"
	"bluetap/internal/store"
	"bluetap/mapping"
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

// Run streams, maps and delivers until ctx ends, which is an ordinary stop if its cause is ErrStop: requests under way
// get 10 s, and Run returns nil. Any other return is an error, with the next thing to do where there is one.
func Run(ctx context.Context, o Options) (err error) {
	st, err := openState(o)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := st.Close(); err == nil {
			err = closeErr
		}
	}()
	d := &daemon{Options: o, store: st, started: time.Now()}
	if err := d.prepare(ctx); err != nil {
		return ended(err)
	}
	return ended(d.run(ctx))
}

// ended turns what came of an ordinary stop into nil.
func ended(err error) error {
	if errors.Is(err, ErrStop) {
		return nil
	}
	return err
}

// daemon is one run.
type daemon struct {
	Options
	store     *store.Store
	started   time.Time
	pipeline  *pipeline
	stream    *capture.Stream
	deliverer *deliver.Deliverer
}

func openState(o Options) (*store.Store, error) {
	st, err := store.Open(o.Config.State.Dir, store.Options{Log: o.Log, Retention: o.Config.State.Retention,
		DeadRetention: o.Config.Delivery.DeadLetterRetention})
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	return st, nil
}

// prepare brings the state to the point where streaming can begin, and makes the parts.
func (d *daemon) prepare(ctx context.Context) error {
	source := d.source()
	model, err := d.findTables(ctx, source)
	if err != nil {
		return err
	}
	shapes, err := d.shapes(model)
	if err != nil {
		return err
	}
	mapper := mapping.NewMapper(model, shapes)
	tables, err := model.Tables()
	if err != nil {
		return err
	}
	if err := d.firstStart(ctx, source, tables, mapper); err != nil {
		return err
	}
	return d.assemble(source, tables, mapper)
}

// assemble makes the parts that run together. Nothing is started.
func (d *daemon) assemble(source capture.Config, tables []capture.Table, mapper *mapping.Mapper) error {
	subscriptions, receivers, err := webhooks(d.store, d.Config.Webhooks)
	if err != nil {
		return err
	}
	state := d.store.State()
	d.stream = capture.NewStream(source, capture.Start{
		Position: capture.LSN(d.store.Applied()),
		Source: capture.Identity{SystemID: state.Source.SystemID, DatabaseOID: state.Source.DatabaseOID,
			Database: state.Source.Database, Timeline: state.Source.Timeline},
		Tables:     tables,
		OnTimeline: d.newTimeline,
	})
	d.pipeline = &pipeline{stream: d.stream, mapper: mapper, router: mapping.NewRouter(subscriptions),
		store: d.store, epoch: state.Epoch, log: d.Log}
	d.deliverer = deliver.New(d.store, receivers, deliver.Options{
		MaxInFlight: d.Config.Delivery.MaxInFlight, AllowedNetworks: d.Config.Delivery.AllowedNetworks,
		Version: d.Version, Log: d.Log})
	d.store.OnSync(func(lsn uint64) { d.stream.Confirm(capture.LSN(lsn)) })
	d.store.OnQueued(d.deliverer.Wake)
	return nil
}

// newTimeline keeps that the server has gone on with another timeline, which the stream has checked.
func (d *daemon) newTimeline(timeline uint32) error {
	state := d.store.State()
	state.Source.Timeline = timeline
	return d.store.SaveState(state)
}

// run runs the parts until one fails or ctx ends. The store goes last, so that what the others did is fsynced.
func (d *daemon) run(ctx context.Context) error {
	storeCtx, stopStore := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stopStore(ErrStop)
	work, workCtx := errgroup.WithContext(ctx)
	storeDone := make(chan error, 1)
	storeFailed := make(chan struct{})
	go func() {
		err := d.store.Run(storeCtx)
		if ended(err) != nil {
			close(storeFailed)
		}
		storeDone <- err
	}()
	work.Go(func() error {
		select {
		case <-storeFailed:
			return store.ErrFailed
		case <-workCtx.Done():
			return context.Cause(workCtx)
		}
	})
	server := &control.Server{Dir: d.Config.State.Dir, Status: d.status}
	work.Go(func() error { return d.stream.Run(workCtx) })
	work.Go(func() error { return d.pipeline.run(workCtx) })
	work.Go(func() error { return d.deliverer.Run(workCtx) })
	work.Go(func() error { return server.Run(workCtx) })
	workDone := make(chan error, 1)
	go func() { workDone <- work.Wait() }()
	return d.wait(workDone, storeFailed, storeDone, stopStore)
}

// wait waits for the parts, then for the store. Once the store has failed a part may be stuck in it for ever: then
// the wait is bounded, and ending the process is what frees the rest.
func (d *daemon) wait(workDone <-chan error, storeFailed <-chan struct{}, storeDone <-chan error,
	stopStore context.CancelCauseFunc,
) error {
	select {
	case err := <-workDone:
		stopStore(ErrStop)
		storeErr := ended(<-storeDone)
		if storeErr != nil {
			return stateFailed(storeErr)
		}
		return err
	case <-storeFailed:
	}
	select {
	case err := <-workDone:
		_ = err // the failed store is the reason that counts
	case <-time.After(failedStop):
		d.Log.Warn("some parts did not stop after the state failed")
	}
	return stateFailed(<-storeDone)
}

func stateFailed(err error) error {
	return hint.New(fmt.Errorf("keep state: %w", err),
		"free space or mend the disk under state.dir, then start again: nothing that was confirmed is lost")
}
