package daemon

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"bluetap/capture"
	"bluetap/internal/hint"
	"bluetap/internal/store"
	"bluetap/mapping"
)

// The pauses between attempts to reach the server at the start.
const (
	firstRetry = 500 * time.Millisecond
	maxRetry   = 10 * time.Second
	repeatLog  = time.Minute
)

// source is the stream's configuration. What a transaction spills goes into the state directory: it is as private as
// the state, and on a disk that is sized for it.
func (d *daemon) source() capture.Config {
	db := d.Config.Database
	return capture.Config{URL: db.URL.Reveal(), Schema: db.Schema, Slot: db.Slot, Publication: db.Publication,
		SpillDir: filepath.Join(d.Config.State.Dir, "spill"), Log: d.Log}
}

// findTables resolves Blue's tables against the catalog and makes sure that the publication holds them.
func (d *daemon) findTables(ctx context.Context, source capture.Config) (*mapping.Model, error) {
	if err := os.MkdirAll(source.SpillDir, 0o700); err != nil {
		return nil, fmt.Errorf("make spill directory: %w", err)
	}
	var catalog []capture.Table
	err := d.untilReachable(ctx, func() (err error) {
		catalog, err = capture.Tables(ctx, source)
		return err
	})
	if err != nil {
		return nil, err
	}
	model, warnings, err := mapping.Resolve(catalog, overrides(d.Config.Database.Tables))
	if err != nil {
		return nil, fmt.Errorf("find tables in schema %s: %w", source.Schema, err)
	}
	for _, w := range warnings {
		d.Log.Warn("tables", "warning", w)
	}
	tables, err := model.Tables()
	if err != nil {
		return nil, err
	}
	if len(tables) == 0 {
		return nil, hint.New(fmt.Errorf("schema %s of the database has none of Blue's tables", source.Schema),
			"check database.url and database.schema, or name the tables under database.tables")
	}
	return model, d.untilReachable(ctx, func() error { return capture.EnsurePublication(ctx, source, tables) })
}

func (d *daemon) shapes(model *mapping.Model) (*mapping.Shapes, error) {
	records, err := d.store.Shapes()
	if err != nil {
		return nil, err
	}
	return mapping.LoadShapes(model, records, d.store.SaveShape)
}

// untilReachable retries for ever what fails because the server cannot be reached or has no room just now. What only
// a person can mend is returned.
func (d *daemon) untilReachable(ctx context.Context, attempt func() error) error {
	pause, logged := firstRetry, time.Time{}
	for {
		err := attempt()
		if err == nil || !capture.Retryable(err) {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if time.Since(logged) >= repeatLog {
			d.Log.Warn("database cannot be reached yet", "err", err)
			logged = time.Now()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
		pause = min(2*pause, maxRetry)
	}
}

// firstStart fills the mirror, if no earlier run has: slot, snapshot, copy. The mark `creating` is on disk before the
// slot is made, so that a run that dies in between is recognised and begun anew.
func (d *daemon) firstStart(ctx context.Context, source capture.Config, tables []capture.Table,
	m *mapping.Mapper,
) error {
	state := d.store.State()
	switch state.Snapshot {
	case store.SnapshotReady:
		return nil
	case store.SnapshotCreating:
		d.Log.Info("dropping the half-made snapshot of an earlier start", "slot", source.Slot)
		if err := d.untilReachable(ctx, func() error { return capture.DropSlot(ctx, source) }); err != nil {
			return err
		}
		if err := d.store.DropGeneration(state.Generation); err != nil {
			return err
		}
	}
	epoch, err := newEpoch()
	if err != nil {
		return err
	}
	state = store.State{Epoch: epoch, Generation: state.Generation + 1, Snapshot: store.SnapshotCreating,
		Source: store.Source{SlotName: source.Slot, Publication: source.Publication}}
	var snapshot *capture.Snapshot
	if err := d.untilReachable(ctx, func() (err error) {
		snapshot, err = d.beginSnapshot(ctx, source, state)
		return err
	}); err != nil {
		return err
	}
	err = d.copy(ctx, snapshot, tables, m, state.Generation)
	if err = errors.Join(err, snapshot.Close()); err != nil {
		return err
	}
	return d.finishSnapshot(snapshot, state)
}

// beginSnapshot sets the mark and creates the slot. A slot that was there before the mark is not ours to drop.
func (d *daemon) beginSnapshot(ctx context.Context, source capture.Config,
	state store.State,
) (*capture.Snapshot, error) {
	if d.store.State().Snapshot != store.SnapshotCreating {
		exists, err := capture.SlotExists(ctx, source)
		if err != nil {
			return nil, err
		}
		if exists {
			return nil, hint.New(fmt.Errorf("slot %s exists, but %s holds no state for it", source.Slot, d.Config.State.Dir),
				fmt.Sprintf("if the state is lost: SELECT pg_drop_replication_slot('%s'), then start again "+
					"(what changed in between is not told); if another bluetap uses the slot: set database.slot", source.Slot))
		}
	}
	if err := d.store.SaveState(state); err != nil {
		return nil, err
	}
	return capture.CreateSnapshot(ctx, source)
}

// copy loads the snapshot into a generation of the mirror, several tables or parts of tables at once.
func (d *daemon) copy(ctx context.Context, snapshot *capture.Snapshot, tables []capture.Table, m *mapping.Mapper,
	generation uint32,
) error {
	copiers := make(map[uint32]copier, len(tables))
	for _, t := range tables {
		c, err := m.Copier(t)
		if err != nil {
			return err
		}
		copiers[t.OID] = c
	}
	workers := min(4, max(2, runtime.NumCPU()))
	return snapshot.Copy(ctx, tables, workers, func() (capture.Sink, error) {
		return &mirrorSink{loader: d.store.NewLoader(generation), copiers: copiers}, nil
	})
}

// finishSnapshot puts position and mark on disk together: everything loaded is there already.
func (d *daemon) finishSnapshot(snapshot *capture.Snapshot, state store.State) error {
	if err := d.store.Advance(uint64(snapshot.ConsistentPoint)); err != nil {
		return err
	}
	found := snapshot.Source
	state.Snapshot = store.SnapshotReady
	state.Source.SystemID, state.Source.DatabaseOID = found.SystemID, found.DatabaseOID
	state.Source.Database, state.Source.Timeline = found.Database, found.Timeline
	if err := d.store.SaveState(state); err != nil {
		return err
	}
	d.Log.Info("snapshot ready", "position", snapshot.ConsistentPoint.String())
	return nil
}

// newEpoch returns 8 random hex digits: events of one slot never share an id with those of another.
func newEpoch() (string, error) {
	var b [4]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("make epoch: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// copier is what Mapper.Copier returns.
type copier = func(values []capture.Value) (entity uint8, key string, row store.Row, err error)

// mirrorSink loads copied rows into the mirror.
type mirrorSink struct {
	loader  *store.Loader
	copiers map[uint32]copier // by table OID
}

// Row loads one row.
func (s *mirrorSink) Row(t *capture.Table, values []capture.Value) error {
	entity, key, row, err := s.copiers[t.OID](values)
	if err != nil {
		return err
	}
	return s.loader.Add(entity, key, row)
}

// Close makes what was loaded durable.
func (s *mirrorSink) Close() error { return s.loader.Close() }
