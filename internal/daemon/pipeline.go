package daemon

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"sync/atomic"
	"time"

	"bluetap/capture"
	"bluetap/internal/store"
	"bluetap/mapping"
)

// overlayBudget is how many bytes of one transaction's net changes are kept in memory; more goes to disk.
const overlayBudget = 32 << 20

// pipeline takes each transaction from the stream to the store: the one goroutine through which every change goes.
//
//	confirmed ≤ stored (fsynced) ≤ applied ≤ received
//
// What it applies is deliverable at once, before any fsync: after a crash Postgres sends again what was not confirmed,
// and the same transaction over the same mirror gives the same events, ids and bytes.
type pipeline struct {
	stream *capture.Stream
	mapper *mapping.Mapper
	router *mapping.Router
	store  *store.Store
	limits *limits
	room   *room
	epoch  string
	log    *slog.Logger

	resuming    atomic.Bool
	resumed     chan struct{} // closed once nothing is left to be resumed: before, nothing is received
	ifFailures  *ifFailures
	unrouted    atomic.Uint64                  // events that no webhook wanted
	divergences atomic.Pointer[map[string]int] // by table; a copy of the mapper's
	values      []byte                         // reused from event to event
	rest        forecast                       // of the transaction that is being mapped; reused, as it is large
}

// run applies transactions until ctx ends or the store or the stream gives up.
func (p *pipeline) run(ctx context.Context) error {
	if err := p.resume(ctx); err != nil {
		return fmt.Errorf("resume staged transaction: %w", err)
	}
	close(p.resumed)
	for {
		if err := p.limits.pass(ctx); err != nil {
			return err
		}
		if err := p.limits.endGaps(p.epoch); err != nil {
			return err
		}
		tx, err := p.stream.Next(ctx)
		if errors.Is(err, capture.ErrClosed) {
			<-ctx.Done() // the stream itself says why it ended
			return context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		if err := p.apply(ctx, tx); err != nil {
			return fmt.Errorf("apply transaction that ends at %s: %w", tx.End, err)
		}
		if err := p.limits.grew(); err != nil {
			return err
		}
	}
}

// apply makes one transaction part of the state: mirror rows, events, routes and position, all or nothing. It may be
// left at any point when ctx ends: the transaction is sent again, or, once it is staged, resumed.
func (p *pipeline) apply(ctx context.Context, tx *capture.Transaction) (err error) {
	defer func() {
		if closeErr := tx.Close(); err == nil {
			err = closeErr
		}
	}()
	if uint64(tx.End) <= p.store.Applied() {
		return nil // a nudge, which says nothing new
	}
	if tx.Idle {
		return p.store.Advance(uint64(tx.End))
	}
	after, stages := p.store.NewOverlay(overlayBudget), newProgress(p.log, uint64(tx.End))
	after.OnSpill(func(bytes int64) error { return p.room.staged(after.Bytes(), bytes) })
	stages.begin("staging", tx.Rows)
	truncated := func(rows int) error {
		stages.done(rows)
		return context.Cause(ctx)
	}
	if err := p.mapper.Net(after, counted(ctx, stages, tx.Changes()), truncated); err != nil {
		return err
	}
	p.reportDivergences()
	batch, err := p.store.Begin(after, uint64(tx.End), tx.Time)
	if err != nil {
		return err
	}
	if after.Staged() {
		stages.log.Info("large transaction staged", "bytes", tx.Size, "rows", after.Rows(), "took", stages.took())
		if err := tx.Close(); err != nil { // gives the room back that it takes as it was received
			return err
		}
	}
	return p.commit(ctx, batch, after, stages, uint64(tx.End), tx.Time)
}

// resume finishes a large transaction that a crash left between its staged mark and its last one.
func (p *pipeline) resume(ctx context.Context) error {
	staged, ok, err := p.store.Staged()
	if err != nil || !ok {
		return err
	}
	p.resuming.Store(true)
	defer p.resuming.Store(false)
	stages := newProgress(p.log, staged.End)
	stages.log.Info("resuming staged transaction", "mapped", staged.Mapped, "events", staged.Cursor,
		"anew", staged.Anew)
	after, batch, err := p.store.Resume(ctx)
	if err != nil {
		return err
	}
	if staged.Mapped {
		return p.write(ctx, batch, after, stages)
	}
	return p.commit(ctx, batch, after, stages, staged.End, staged.Committed)
}

// commit maps the net changes to events and commits them with the rows they came from.
func (p *pipeline) commit(ctx context.Context, batch *store.Tx, after *store.Overlay, stages *progress, end uint64,
	committed time.Time,
) error {
	stages.begin("mapping", after.Rows())
	rest := p.forecast(after, batch, stages)
	events := p.mapper.Map(after.Before(), after, until(ctx, after.Changes()), rest.mapped)
	if err := p.add(batch, following(until(ctx, events), rest.event), end, committed); err != nil {
		return err
	}
	if after.Staged() {
		stages.log.Info("large transaction mapped", "rows", stages.rows, "took", stages.took())
	}
	return p.write(ctx, batch, after, stages)
}

// write commits a transaction whose events have all been added.
func (p *pipeline) write(ctx context.Context, batch *store.Tx, after *store.Overlay, stages *progress) error {
	large := after.Staged()
	stages.begin("applying", after.Rows())
	batch.OnWritten(func(rows int) error {
		stages.done(rows)
		return context.Cause(ctx)
	})
	if err := batch.Commit(); err != nil {
		return err
	}
	p.room.done()
	if large {
		stages.log.Info("large transaction applied", "rows", stages.rows, "took", stages.took())
	}
	return nil
}

// add routes every event, and composes and stores those that somebody wants. An unwanted one is added empty, so that
// a staged transaction counts the same events when it is resumed.
func (p *pipeline) add(
	batch *store.Tx, events iter.Seq2[*mapping.Event, error], end uint64, committed time.Time,
) error {
	for event, err := range events {
		if err != nil {
			return err
		}
		webhooks, err := p.router.Route(event)
		if err != nil {
			return err
		}
		if len(webhooks) == 0 {
			p.unrouted.Add(1)
			if err := batch.Add(store.Event{}, nil, nil); err != nil {
				return err
			}
			continue
		}
		stored, lanes, err := p.compose(event, end, committed)
		if err != nil {
			return err
		}
		if err := batch.Add(stored, lanes, webhooks); err != nil {
			return err
		}
	}
	return nil
}

// compose makes what the store keeps of an event, and the lanes that it stands in.
func (p *pipeline) compose(event *mapping.Event, end uint64, committed time.Time) (store.Event, []uint64, error) {
	records, err := event.Records()
	if err != nil {
		return store.Event{}, nil, err
	}
	if p.values, err = event.AppendValues(p.values[:0]); err != nil {
		return store.Event{}, nil, err
	}
	lanes := make([]uint64, len(records))
	for i, r := range records {
		lanes[i] = r.Lane()
	}
	if len(lanes) == 2 && lanes[0] == lanes[1] {
		lanes = lanes[:1]
	}
	return store.Event{ID: event.ID(p.epoch, end), Type: event.Type, Record: records[0].ID, Committed: committed,
		LSN: end, Values: p.values}, lanes, nil
}

// reportDivergences says it when the stream and the mirror have come to differ, once per table and change of count.
func (p *pipeline) reportDivergences() {
	known := p.divergences.Load()
	if known != nil && maps.Equal(*known, p.mapper.Divergences) {
		return
	}
	now := maps.Clone(p.mapper.Divergences)
	p.divergences.Store(&now)
	for table, count := range now {
		if known == nil || (*known)[table] != count {
			p.log.Warn("mirror and stream diverge", "table", table, "count", count)
		}
	}
}
