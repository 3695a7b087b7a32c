package daemon

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"bluetap/capture"
	"bluetap/internal/hint"
	"bluetap/internal/store"
	"bluetap/mapping"
)

// copyWorkers is how many connections copy the first snapshot. Two keep two cores busy; each may hold a table's worth
// of loading in memory.
const copyWorkers = 2

// undoTimeout bounds how long a first start that failed takes to drop its slot again.
const undoTimeout = 10 * time.Second

// checkFirstStart finds what would keep a first start from making its slot, before anything is made in the database.
func (d *daemon) checkFirstStart(ctx context.Context, source capture.Config) error {
	if d.store.State().Snapshot == store.SnapshotReady {
		return nil
	}
	return d.untilReachable(ctx, func() error {
		if err := d.clearHalfCopy(ctx, source); err != nil {
			return err
		}
		return capture.CheckSlotRoom(ctx, source)
	})
}

// firstStart fills the mirror, if no earlier run has: slot, snapshot, copy. It is tried again for ever where trying
// can help, each time from nothing.
func (d *daemon) firstStart(ctx context.Context, source capture.Config, model *mapping.Model, m *mapping.Mapper,
) error {
	if d.store.State().Snapshot == store.SnapshotReady {
		return nil
	}
	tables, err := model.Tables()
	if err != nil {
		return err
	}
	return d.untilReachable(ctx, func() error {
		if err := d.clearHalfCopy(ctx, source); err != nil {
			return err
		}
		if err := capture.CheckReadable(ctx, source, tables); err != nil {
			return err
		}
		return d.takeSnapshot(ctx, source, model, m)
	})
}

// clearHalfCopy drops what an earlier attempt has left behind. A slot is ours to drop only if the mark tells that we
// were making it, and it is still as it was made: anybody else's would lose what it has not told yet.
func (d *daemon) clearHalfCopy(ctx context.Context, source capture.Config) error {
	if d.store.State().Snapshot == store.SnapshotCreating {
		d.Log.Info("dropping a half-made snapshot", "slot", d.store.State().Source.SlotName)
		if err := d.undo(ctx, source); err != nil {
			return err
		}
	}
	exists, err := capture.SlotExists(ctx, source)
	if err != nil {
		return err
	}
	if exists {
		return hint.New(fmt.Errorf("slot %s exists, but %s holds no state for it", source.Slot, d.Config.State.Dir),
			fmt.Sprintf("if somebody else uses the slot: set database.slot to another name; if the state is lost: "+
				"SELECT pg_drop_replication_slot('%s'), then start again (what changed in between is not told)", source.Slot))
	}
	return nil
}

// undo drops the slot and the half copy that the mark tells of, and then the mark.
func (d *daemon) undo(ctx context.Context, source capture.Config) error {
	state := d.store.State()
	source.Slot = state.Source.SlotName // the config may name another one by now
	made := capture.Made{Source: identityOf(state.Source), After: capture.LSN(state.SlotAfter),
		Point: capture.LSN(state.SlotPoint)}
	if err := capture.DropUnreadSlot(ctx, source, made); err != nil {
		return err
	}
	if err := d.store.DropGeneration(state.Generation); err != nil {
		return err
	}
	return d.store.SaveState(store.State{Generation: state.Generation})
}

// takeSnapshot makes one attempt. The mark `creating` is on disk before the slot is made, so that a run that dies in
// between is recognised; an attempt that fails drops its slot at once, as a slot that nobody reads fills the
// server's disk.
func (d *daemon) takeSnapshot(ctx context.Context, source capture.Config, model *mapping.Model, m *mapping.Mapper,
) (err error) {
	tables, err := model.Tables()
	if err != nil {
		return err
	}
	state, err := d.mark(ctx, source, model.Keys(), tables)
	if err != nil {
		return err
	}
	snapshot, err := capture.CreateSnapshot(ctx, source, tables)
	if err != nil {
		if !capture.Retryable(err) && ctx.Err() == nil { // the server refused: there is no slot, or it is another's
			err = errors.Join(err, d.store.SaveState(store.State{Generation: state.Generation}))
		}
		return err
	}
	defer func() {
		if err != nil {
			d.undoFailed(ctx, source)
		}
	}()
	state.SlotPoint = uint64(snapshot.ConsistentPoint)
	if err := d.store.SaveState(state); err != nil {
		return errors.Join(err, snapshot.Close())
	}
	d.Log.Info("copying first snapshot", "tables", len(tables), "position", snapshot.ConsistentPoint.String())
	err = d.copy(ctx, snapshot, tables, m, state.Generation)
	if err = errors.Join(err, snapshot.Close()); err != nil {
		return err
	}
	return d.finishSnapshot(snapshot, state)
}

// mark puts on disk that a slot is about to be made, and what it will be recognised by.
func (d *daemon) mark(ctx context.Context, source capture.Config, keys map[string][]string, tables []capture.Table,
) (store.State, error) {
	epoch, err := newEpoch()
	if err != nil {
		return store.State{}, err
	}
	membership, err := capture.Membership(ctx, source, tables)
	if err != nil {
		return store.State{}, err
	}
	found, err := capture.Identify(ctx, source)
	if err != nil {
		return store.State{}, err
	}
	state := store.State{Epoch: epoch, Generation: d.store.State().Generation + 1, Snapshot: store.SnapshotCreating,
		Keys: keys, Membership: membership, SlotAfter: uint64(found.FlushLSN),
		Source: store.Source{SystemID: found.SystemID, DatabaseOID: found.DatabaseOID, Database: found.Database,
			Timeline: found.Timeline, SlotName: source.Slot, Publication: source.Publication}}
	return state, d.store.SaveState(state)
}

// undoFailed undoes an attempt that has failed, also while bluetap stops. If it cannot, the mark sees to it that the
// next start does.
func (d *daemon) undoFailed(ctx context.Context, source capture.Config) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	if err := d.undo(ctx, source); err != nil {
		d.Log.Warn("a failed first start is not undone: the next one does it", "slot", source.Slot, "err", err)
	}
}

// identityOf is the source as capture compares it.
func identityOf(s store.Source) capture.Identity {
	return capture.Identity{SystemID: s.SystemID, DatabaseOID: s.DatabaseOID, Database: s.Database, Timeline: s.Timeline}
}

// copy loads the snapshot into a generation of the mirror, several tables or parts of tables at once.
func (d *daemon) copy(ctx context.Context, snapshot *capture.Snapshot, tables []capture.Table, m *mapping.Mapper,
	generation uint32,
) error {
	copiers := make(map[uint32]mapping.Copier, len(tables))
	for _, t := range tables {
		c, err := m.Copier(t)
		if err != nil {
			return err
		}
		copiers[t.OID] = c
	}
	return snapshot.Copy(ctx, tables, copyWorkers, func() (capture.Sink, error) {
		return &mirrorSink{loader: d.store.NewLoader(generation), copiers: copiers}, nil
	})
}

// finishSnapshot puts position and mark on disk together: everything loaded is there already.
func (d *daemon) finishSnapshot(snapshot *capture.Snapshot, state store.State) error {
	if err := d.store.Advance(uint64(snapshot.ConsistentPoint)); err != nil {
		return err
	}
	state.Snapshot = store.SnapshotReady
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

// mirrorSink loads copied rows into the mirror.
type mirrorSink struct {
	loader  *store.Loader
	copiers map[uint32]mapping.Copier // by table OID
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
