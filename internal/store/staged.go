package store

import (
	"encoding/json"
	"fmt"
	"time"
)

// Staged is a transaction too large for memory that a crash interrupted after its COMMIT had been seen.
type Staged struct {
	End       uint64    // its position
	Committed time.Time // its commit time
	Cursor    uint64    // events that have been added
	Mapped    bool      // all have been: only Commit is left
}

// stagedMark is the record of a transaction that is written in pieces. It comes before the first piece and goes with
// the write that makes all of them visible. Without a scratch range, of a transaction whose changes are in memory
// alone, it says no more than that what lies above the visible bound is to be removed.
type stagedMark struct {
	End        uint64    `json:"end"`
	Committed  time.Time `json:"committed"`
	Cursor     uint64    `json:"cursor"`
	Next       uint64    `json:"next"` // sequence number after the last event added
	Mapped     bool      `json:"mapped"`
	Scratch    uint32    `json:"scratch"`
	Generation uint32    `json:"generation"`
	// Gaps are the events up to Cursor that went to gaps; the gaps themselves are written with the last piece.
	Gaps map[uint32]*Gap `json:"gaps,omitempty"`
}

func (s *Store) readMark() (m stagedMark, ok bool, err error) {
	b, err := s.get(metaKey(metaStaged))
	if err != nil || b == nil {
		return m, false, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, false, damaged(fmt.Errorf("decode staged mark: %w", err))
	}
	for w, g := range m.Gaps {
		if g == nil {
			return m, false, damaged(fmt.Errorf("staged mark: gap of webhook %d: %w", w, errShort))
		}
		if g.Events == nil {
			g.Events = map[string]uint64{}
		}
	}
	return m, true, nil
}

// Staged tells whether a staged transaction is to be resumed. Until it is, Begin returns ErrStaged.
func (s *Store) Staged() (Staged, bool, error) {
	m, ok, err := s.readMark()
	if err != nil {
		return Staged{}, false, fmt.Errorf("read staged transaction: %w", err)
	}
	return Staged{End: m.End, Committed: m.Committed, Cursor: m.Cursor, Mapped: m.Mapped}, ok, nil
}

// Resume returns a staged transaction as it was begun: its changes, and a Tx that skips the events that it has. The
// caller maps the changes again and calls Add for every event from the first on, or, if it was Mapped, nothing; then
// Commit.
func (s *Store) Resume() (*Overlay, *Tx, error) {
	m, ok, err := s.readMark()
	if err == nil && !ok {
		err = ErrNotFound
	}
	if err != nil {
		return nil, nil, fmt.Errorf("resume transaction: %w", err)
	}
	o := s.NewOverlay(chunkBytes)
	o.base, o.scratch, o.kept = s.MirrorOf(m.Generation), m.Scratch, true
	if err := o.look(); err != nil {
		return nil, nil, fmt.Errorf("resume transaction: %w", err)
	}
	if o.Staged() {
		o.base.cursors = &cursors{open: map[string]*cursor{}}
	}
	t := &Tx{
		store: s, overlay: o, end: m.End, committed: m.Committed, batch: s.newBatch(),
		next: m.Next, skip: m.Cursor, mark: &m, queued: map[uint32]tally{}, gaps: m.Gaps, events: eventTable{store: s},
	}
	if err := s.dropUncounted(m.Next); err != nil {
		return nil, nil, fmt.Errorf("resume transaction: %w", err)
	}
	for r, err := range s.scan(eventKey(s.visible.Load()), after([]byte{spaceEvent})) {
		if err != nil {
			return nil, nil, fmt.Errorf("resume transaction: %w", err)
		}
		_, webhooks, err := decodeEvent(r.value)
		if err != nil {
			return nil, nil, fmt.Errorf("resume transaction: %w", err)
		}
		tallyUp(t.queued, webhooks, len(r.value))
	}
	return o, t, nil
}

// dropUncounted removes events from a sequence number on: they were on disk when a crash came, the mark that counts
// them was not.
func (s *Store) dropUncounted(next uint64) error {
	key, err := s.first(eventKey(next), after([]byte{spaceEvent}))
	if err != nil || key == nil {
		return err
	}
	return s.update(func(b *batch) error {
		b.removeRange(eventKey(next), after([]byte{spaceEvent}))
		return nil
	}, nil)
}

// stage makes the mark of a transaction whose changes lie on disk, having moved the rest there.
func (t *Tx) stage() error {
	if err := t.overlay.spill(); err != nil {
		return err
	}
	t.mark = &stagedMark{
		End: t.end, Committed: t.committed, Scratch: t.overlay.scratch, Generation: t.overlay.base.generation,
	}
	t.overlay.kept = true
	t.overlay.base.cursors = &cursors{open: map[string]*cursor{}}
	t.setMark()
	return t.flushSync()
}

func (t *Tx) setMark() {
	t.store.staged.Store(true)
	t.mark.Cursor, t.mark.Next, t.mark.Gaps = max(t.added, t.skip), t.next, t.gaps
	b, err := json.Marshal(t.mark)
	if err != nil && t.batch.err == nil {
		t.batch.err = fmt.Errorf("encode staged mark: %w", err)
	}
	t.batch.set(metaKey(metaStaged), b)
}

// append writes the events so far, and then their entries together with how many they are.
func (t *Tx) append() error {
	if err := t.events.ingest(); err != nil {
		return err
	}
	t.setMark()
	if err := t.store.commit(t.batch, nil, nil); err != nil {
		return err
	}
	t.batch.Reset()
	t.recent = nil
	return nil
}

func (t *Tx) flushSync() error {
	if err := t.store.commitSync(t.batch); err != nil {
		return err
	}
	t.batch.Reset()
	return nil
}

// applyStaged writes the rows of a staged transaction, in pieces; a crash between them repeats all of them. What is
// left in the batch is to remove the scratch range.
func (t *Tx) applyStaged() error {
	if !t.mark.Mapped {
		if err := t.events.ingest(); err != nil {
			return err
		}
		t.mark.Mapped = true
		t.setMark()
		if err := t.flushSync(); err != nil {
			return err
		}
	}
	rows := 0
	for c, err := range t.overlay.Changes() {
		if err != nil {
			return err
		}
		t.batch.write(t.mark.Generation, c)
		if rows++; t.batch.Len() < t.store.chunk {
			continue
		}
		if err := t.store.commit(t.batch, nil, nil); err != nil {
			return err
		}
		t.batch.Reset()
		if err := t.written(rows); err != nil {
			return err
		}
		rows = 0
	}
	if err := t.written(rows); err != nil {
		return err
	}
	t.batch.removeScratch(t.mark.Scratch)
	return nil
}

func (t *Tx) written(rows int) error {
	if t.onWritten == nil {
		return nil
	}
	return t.onWritten(rows)
}

// rollBack undoes at Open what a crash left of a transaction that cannot be resumed.
func (s *Store) rollBack() error {
	m, ok, err := s.readMark()
	s.staged.Store(ok)
	if err != nil || !ok || m.Scratch != 0 || s.readOnly {
		return err
	}
	return s.undo(m)
}

// undo removes the events above the visible bound with their entries, and at last the mark.
func (s *Store) undo(m stagedMark) error {
	b := s.newBatch()
	defer s.release(b)
	for r, err := range s.scan(eventKey(s.visible.Load()), after([]byte{spaceEvent})) {
		if err != nil {
			return err
		}
		_, webhooks, err := decodeEvent(r.value)
		if err != nil {
			return err
		}
		seq := seqOf(r.key)
		for _, w := range webhooks {
			if err := s.unqueue(b, w, seq); err != nil {
				return err
			}
		}
		b.remove(r.key)
		if b.Len() < s.chunk {
			continue
		}
		if err := s.commit(b, nil, nil); err != nil {
			return err
		}
		b.Reset()
	}
	b.remove(metaKey(metaStaged))
	if m.Scratch != 0 {
		b.removeScratch(m.Scratch)
	}
	return s.commit(b, nil, func() { s.staged.Store(false) })
}

// unqueue removes an entry that never was visible.
func (s *Store) unqueue(b *batch, webhook uint32, seq uint64) error {
	e, ok, err := s.entry(webhook, seq)
	if err != nil || !ok {
		return err
	}
	b.remove(key64(spaceQueue, webhook, seq))
	for _, lane := range e.Lanes {
		b.remove(keySeq(spaceLane, webhook, lane, seq))
	}
	return nil
}
