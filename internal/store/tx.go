package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// Event is what is delivered, but for the webhook's own part of the body.
type Event struct {
	ID        string    // the webhook-id header; the same whenever the same transaction is mapped again
	Type      string    // TODO_CREATED, …
	Record    string    // key of the record that it is about, for people to search by
	Committed time.Time // commit time, UTC, microseconds
	LSN       uint64    // end of the commit
	Values    []byte    // the values before and after, opaque
}

// promoteBytes is the size at which a transaction's events no longer wait in memory for its end.
const promoteBytes = 8 << 20

// ErrStaged is returned by Begin while a staged transaction waits for Resume.
var ErrStaged = errors.New("a staged transaction is to be resumed first")

// Tx applies one transaction: the changes of its Overlay, its events with the queues that they go to, and its
// position, all or nothing. It ends with Commit or Discard, and is used by one goroutine.
type Tx struct {
	store     *Store
	overlay   *Overlay
	end       uint64
	committed time.Time
	batch     *batch
	next      uint64 // sequence number of the next event
	added     uint64 // calls of Add
	skip      uint64 // of which so many had been written before a crash
	mark      *stagedMark
	queued    map[uint32]tally
	gaps      map[uint32]*Gap // by webhook: what its full queue does not get; nil while there is none
	recent    []recentEvent   // that are still in the batch
	events    eventTable      // of a staged transaction
	kept      Kept            // but for what events and batch hold
	onWritten func(rows int) error
}

// recentEvent is an event on its way into the cache.
type recentEvent struct {
	seq     uint64
	encoded []byte
}

// tally counts what goes to one webhook.
type tally struct {
	entries uint64
	bytes   uint64
}

// Begin begins to apply the changes of o, which must not be set any more, as the transaction that ends at end. If o is
// staged, the transaction is: from here on a crash is followed by Resume. The position must be above Applied.
func (s *Store) Begin(o *Overlay, end uint64, committed time.Time) (*Tx, error) {
	if err := s.fault.get(); err != nil {
		return nil, fmt.Errorf("begin transaction: %w", err)
	}
	if s.staged.Load() {
		return nil, ErrStaged
	}
	t := &Tx{
		store: s, overlay: o, end: end, committed: committed, batch: s.newBatch(),
		next: s.visible.Load(), queued: map[uint32]tally{}, events: eventTable{store: s},
	}
	if !o.Staged() {
		return t, nil
	}
	if err := t.stage(); err != nil {
		return nil, fmt.Errorf("begin transaction: %w", err)
	}
	return t, nil
}

// Add appends an event and queues it for webhooks, in one or two lanes. The order of calls is the order of events. An
// event without webhooks is not kept; for one whose queue is full it is counted in its Gap. Nothing is delivered before
// Commit.
func (t *Tx) Add(ev Event, lanes []uint64, webhooks []uint32) error {
	t.added++
	if t.added <= t.skip {
		return nil
	}
	if webhooks = t.admit(ev, webhooks); len(webhooks) == 0 {
		return nil
	}
	value := encodeEvent(ev, webhooks)
	if err := t.keep(value); err != nil {
		return fmt.Errorf("add event: %w", err)
	}
	t.batch.addEntries(t.next, Entry{Lanes: lanes, Committed: ev.Committed, Bytes: int64(len(value))}, webhooks)
	tallyUp(t.queued, webhooks, len(value))
	t.kept.Bytes += int64(len(value))
	t.next++
	if err := t.overflow(); err != nil {
		return fmt.Errorf("add event: %w", err)
	}
	return nil
}

// addEvent writes an event with its entries, and returns it as it is stored.
func (b *batch) addEvent(seq uint64, ev Event, lanes []uint64, webhooks []uint32) []byte {
	value := encodeEvent(ev, webhooks)
	b.set(eventKey(seq), value)
	b.addEntries(seq, Entry{Lanes: lanes, Committed: ev.Committed, Bytes: int64(len(value))}, webhooks)
	return value
}

// addEntries queues an event for webhooks.
func (b *batch) addEntries(seq uint64, e Entry, webhooks []uint32) {
	entry := appendEntry(nil, e)
	for _, w := range webhooks {
		b.set(key64(spaceQueue, w, seq), entry)
		for _, lane := range e.Lanes {
			b.set(keySeq(spaceLane, w, lane, seq), nil)
		}
	}
}

// keep writes the next event: with the rest of the transaction, or, if that is staged, as part of a table.
func (t *Tx) keep(value []byte) error {
	if t.mark != nil && t.mark.Scratch != 0 && len(value) < t.store.maxBatch {
		return t.events.add(t.next, value)
	}
	t.batch.set(eventKey(t.next), value)
	t.recent = append(t.recent, recentEvent{t.next, value})
	return nil
}

func tallyUp(counts map[uint32]tally, webhooks []uint32, size int) {
	for _, w := range webhooks {
		c := counts[w]
		counts[w] = tally{entries: c.entries + 1, bytes: c.bytes + uint64(size)}
	}
}

// overflow writes the batch out when it has grown large, behind the visible bound.
func (t *Tx) overflow() error {
	switch {
	case t.batch.err != nil:
		return t.batch.err
	case t.mark == nil && t.batch.Len() >= t.store.promote:
		t.mark = &stagedMark{End: t.end, Committed: t.committed}
		return t.append()
	case t.mark != nil && (t.batch.Len() >= t.store.chunk || t.events.size >= t.store.table):
		return t.append()
	}
	return nil
}

// OnWritten registers f to be called by Commit of a staged transaction, after each piece, with how many rows it had. An
// error from f ends Commit, which returns it: the transaction is left for Resume.
func (t *Tx) OnWritten(f func(rows int) error) { t.onWritten = f }

// Commit applies the transaction. It does not wait for the disk, except for a staged one.
func (t *Tx) Commit() error {
	s := t.store
	if t.mark != nil && t.mark.Scratch != 0 {
		if err := t.applyStaged(); err != nil {
			return fmt.Errorf("commit transaction: %w", err)
		}
	} else {
		for c, err := range t.overlay.Changes() {
			if err != nil {
				return fmt.Errorf("commit transaction: %w", err)
			}
			t.batch.write(t.overlay.base.generation, c)
		}
	}
	if t.mark != nil {
		t.batch.remove(metaKey(metaStaged))
	}
	t.batch.set(metaKey(metaPosition), position(t.end, t.next))
	gaps := t.setGaps()
	if err := s.commit(t.batch, nil, func() {
		s.showGaps(gaps)
		t.show()
	}); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	s.release(t.batch)
	t.overlay.clear()
	t.overlay.scratch, t.overlay.kept = 0, false
	s.announce(t.queued)
	return nil
}

// show makes what has been committed visible.
func (t *Tx) show() {
	s := t.store
	t.cacheRows()
	for _, e := range t.recent {
		s.events.put(e.seq, e.encoded)
	}
	for w, c := range t.queued {
		s.queue(w).grow(c)
	}
	s.staged.Store(false)
	s.visible.Store(t.next)
	s.applied.Store(t.end)
}

// cacheRows brings the row cache up to what was committed. For a staged transaction, which may be larger than the
// cache, it starts anew.
func (t *Tx) cacheRows() {
	o := t.overlay
	if t.mark != nil && t.mark.Scratch != 0 {
		t.store.rows.clear()
		return
	}
	for id, c := range o.changes {
		var value []byte
		if c.after != nil {
			value = c.after.Value
		}
		t.store.rows.put(cachedRow{o.base.generation, id.table, id.key}, value)
	}
}

// Discard undoes what has been written of a transaction that will not be committed; the source is to send it again.
// It may follow an Add or Commit that failed, but for a staged transaction whose Commit has begun: that one is left for
// Resume.
func (t *Tx) Discard() error {
	t.store.release(t.batch)
	t.events.discard()
	if t.mark == nil || t.mark.Mapped {
		return t.store.fault.get()
	}
	if err := t.store.undo(context.Background(), *t.mark); err != nil {
		return fmt.Errorf("discard transaction: %w", err)
	}
	t.overlay.scratch, t.overlay.kept = 0, false
	return nil
}

// OnQueued registers f to be called after a commit made entries visible, with the webhooks that they are for, from
// the goroutine that committed: it must be cheap. It must be called before the first Begin.
func (s *Store) OnQueued(f func(webhooks []uint32)) { s.onQueued = append(s.onQueued, f) }

func (s *Store) announce(queued map[uint32]tally) {
	if len(queued) == 0 || len(s.onQueued) == 0 {
		return
	}
	webhooks := make([]uint32, 0, len(queued))
	for w := range queued {
		webhooks = append(webhooks, w)
	}
	for _, f := range s.onQueued {
		f(webhooks)
	}
}

// Event returns an event by its sequence number; ErrNotFound if it is gone.
func (s *Store) Event(seq uint64) (Event, error) {
	if err := s.fault.get(); err != nil {
		return Event{}, fmt.Errorf("read event: %w", err)
	}
	if v, known, _ := s.events.get(seq); known {
		ev, _, err := decodeEvent(v)
		return ev, err
	}
	v, err := s.get(eventKey(seq))
	if err == nil && v == nil {
		err = ErrNotFound
	}
	if err != nil {
		return Event{}, fmt.Errorf("read event: %w", err)
	}
	ev, _, err := decodeEvent(v)
	return ev, err
}

func encodeEvent(ev Event, webhooks []uint32) []byte {
	size := len(ev.ID) + len(ev.Type) + len(ev.Record) + len(ev.Values)
	b := make([]byte, 0, size+40+5*len(webhooks))
	b = binary.AppendUvarint(b, uint64(len(webhooks)))
	for _, w := range webhooks {
		b = binary.AppendUvarint(b, uint64(w))
	}
	b = binary.AppendUvarint(b, micros(ev.Committed))
	b = binary.AppendUvarint(b, ev.LSN)
	b = appendBytes(appendBytes(appendBytes(b, ev.ID), ev.Type), ev.Record)
	return append(b, ev.Values...)
}

// decodeEvent returns an event, which keeps v, and the webhooks that it was queued for.
func decodeEvent(v []byte) (Event, []uint32, error) {
	d := decoder{b: v}
	webhooks := make([]uint32, d.count(1))
	for i := range webhooks {
		webhooks[i] = uint32(d.upTo(math.MaxUint32))
	}
	ev := Event{Committed: d.time(), LSN: d.uint(), ID: d.string(), Type: d.string(), Record: d.string()}
	ev.Values = d.b
	if d.err != nil {
		return Event{}, nil, damaged(fmt.Errorf("event: %w", d.err))
	}
	return ev, webhooks, nil
}
