package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// postgresEpoch is where Postgres' clock begins, in microseconds of Unix time.
const postgresEpoch = 946684800 * 1_000_000

// typeLookup bounds the question for a type that came up in the middle of the stream.
const typeLookup = 5 * time.Second

// message takes one pgoutput message. msg is the connection's memory: what is kept of it is copied.
func (r *receiver) message(ctx context.Context, msg []byte) error {
	switch msg[0] {
	case msgInsert, msgUpdate, msgDelete:
		return r.change(msg)
	case msgBegin:
		return r.begin(msg)
	case msgCommit:
		return r.commit(ctx, msg)
	case msgRelation:
		return r.relation(ctx, msg)
	case msgTruncate:
		return r.truncate(msg)
	case msgType, msgOrigin, msgMessage:
		return nil
	}
	r.unknown(msg[0])
	return nil
}

func (r *receiver) begin(msg []byte) error {
	if r.open != nil {
		return errors.New("BEGIN inside a transaction")
	}
	m := reader{b: msg[1:]}
	m.take(16)
	xid := m.uint32()
	if err := m.end(); err != nil {
		return fmt.Errorf("read BEGIN: %w", err)
	}
	r.open = &Transaction{XID: xid}
	return nil
}

func (r *receiver) change(msg []byte) error {
	m := reader{b: msg[1:]}
	oid := m.uint32()
	if m.err != nil {
		return m.err
	}
	if rel := r.relations[oid]; rel != nil && rel.unwanted != nil {
		var err error
		if r.stripped, err = strip(r.stripped[:0], msg, rel.unwanted); err != nil {
			return fmt.Errorf("read change of %s: %w", rel.Name, err)
		}
		msg = r.stripped
	}
	return r.add(oid, msg)
}

// add keeps a message of the open transaction, in memory or, past the budget, on disk.
func (r *receiver) add(oid uint32, msg []byte) error {
	rel := r.relations[oid]
	if rel == nil || r.open == nil {
		return fmt.Errorf("change of relation %d outside a transaction or without a description", oid)
	}
	log := &r.open.changes
	r.open.Size += int64(len(msg))
	r.open.Rows++
	if err := log.add(rel, msg); err != nil {
		return err
	}
	if log.spilled == nil && log.memory > r.s.cfg.MemoryBudget {
		if err := r.large(); err != nil {
			return err
		}
		return log.spill(r.s.cfg.SpillDir)
	}
	if log.spilled != nil && r.open.Size-r.asked >= roomStep {
		return r.large()
	}
	return nil
}

const (
	roomStep    = 16 << 20        // bytes after which room is asked for again
	reportEvery = 5 * time.Second // how often a large transaction says how far it is
)

// large looks after a transaction that is, or is to be, on disk.
func (r *receiver) large() error {
	r.asked = r.open.Size
	if now := time.Now(); now.Sub(r.reported) >= reportEvery {
		r.reported = now
		r.s.cfg.Log.Info("receiving large transaction", "xid", r.open.XID, "rows", r.open.Rows, "bytes", r.open.Size)
	}
	if err := r.s.cfg.Room(r.open.Size); err != nil {
		return &spillError{doing: "grow", err: err} // with the advice of err
	}
	return nil
}

func (r *receiver) truncate(msg []byte) error {
	m := reader{b: msg[1:]}
	n := m.uint32()
	m.uint8()
	for range n {
		oid := m.uint32()
		if m.err != nil {
			break
		}
		if err := r.add(oid, msg[:1]); err != nil {
			return err
		}
	}
	if err := m.end(); err != nil {
		return fmt.Errorf("read TRUNCATE: %w", err)
	}
	return nil
}

// relation makes a table known. A shape that is as before keeps its pointer, even over a reconnect.
func (r *receiver) relation(ctx context.Context, msg []byte) error {
	rel, err := decodeRelation(msg)
	if err != nil {
		return fmt.Errorf("decode relation: %w", err)
	}
	if err := r.resolve(ctx, rel); err != nil {
		return err
	}
	if old := r.s.known[rel.OID]; old != nil && old.Schema == rel.Schema && old.Name == rel.Name &&
		slices.Equal(old.Columns, rel.Columns) {
		rel = old
	} else {
		rel.unwanted = r.s.unwanted(rel)
	}
	r.s.known[rel.OID], r.relations[rel.OID] = rel, rel
	return nil
}

// resolve replaces the types that the stream names by what they are built on.
func (r *receiver) resolve(ctx context.Context, rel *Relation) error {
	for attempt := range 2 {
		missing := false
		for i := range rel.Columns {
			t, ok := r.s.types.resolve(rel.Columns[i].Type.OID)
			missing = missing || !ok
			if ok && attempt == 1 {
				rel.Columns[i].Type = t
			}
		}
		if missing && attempt == 0 {
			if err := r.loadTypes(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// loadTypes reads the types again: one was made after this connection began. No status goes out meanwhile, so it waits
// no longer than between two of them: the next connection reads the types before it streams.
func (r *receiver) loadTypes(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, min(typeLookup, r.beat.interval))
	defer cancel()
	conn, err := connect(ctx, r.s.cfg)
	if err != nil {
		return fmt.Errorf("look up a new type: %w", err)
	}
	defer closeConn(conn)
	return r.s.types.load(ctx, conn)
}

// commit hands the open transaction over. One that ends at or before what we have is skipped as a whole: its changes
// have positions of their own, which tell nothing.
func (r *receiver) commit(ctx context.Context, msg []byte) error {
	m := reader{b: msg[1:]}
	m.take(9)
	end, at := LSN(m.uint64()), int64(m.uint64())
	if err := m.end(); err != nil {
		return fmt.Errorf("read COMMIT: %w", err)
	}
	if r.open == nil {
		return errors.New("COMMIT outside a transaction")
	}
	if end <= r.received() {
		r.discard()
		return nil
	}
	t := r.open
	if t.changes.records == 0 {
		r.open, r.idle = nil, end
		return nil
	}
	if err := t.changes.seal(); err != nil {
		return err
	}
	if t.changes.spilled != nil {
		r.s.cfg.Log.Info("large transaction received", "xid", t.XID, "position", end.String(), "rows", t.Rows,
			"bytes", t.Size)
	}
	t.End, t.Time = end, time.UnixMicro(at+postgresEpoch).UTC()
	r.open, r.idle = nil, 0
	r.s.state.received.Store(uint64(end))
	r.s.queue.put(t)
	return r.awaitRoom(ctx)
}

// awaitRoom stops reading while the queue is full or reading is held, but not for long.
func (r *receiver) awaitRoom(ctx context.Context) error {
	if !r.s.queue.above(1) {
		return nil
	}
	patience := time.NewTimer(boundaryPatience)
	defer patience.Stop()
	look := time.NewTicker(resumeCheck)
	defer look.Stop()
	for r.s.queue.above(1) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-patience.C:
			if r.s.queue.isHeld() {
				return errHeld
			}
			return errPaused
		case <-r.s.queue.room:
		case now := <-look.C:
			if err := r.beat.tick(now, false); err != nil {
				return err
			}
		}
	}
	return nil
}
