package store

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// Staged is a transaction too large for memory that a crash interrupted after its COMMIT had been seen.
type Staged struct {
	End       uint64    // its position
	Committed time.Time // its commit time
	Cursor    uint64    // events that have been added
	Mapped    bool      // all have been: only Commit is left
	Anew      bool      // those that have been were made by other rules: Resume drops them, if there are any
}

// SetRules names all that number, order, content and routes of a transaction's events follow from: the events of a
// staged transaction that were made by other rules are dropped and made anew, as what is to be added after them cannot
// be told by their number. It must be called before the first Begin, and before Staged and Resume. Without rules a
// staged transaction is always mapped from its first event on.
func (s *Store) SetRules(rules string) { s.rules = rules }

// anew tells whether the events so far are not those that the rules would give. With none counted there may be some
// left that were being dropped.
func (m stagedMark) anew(rules string) bool {
	return !m.Mapped && (m.Cursor == 0 || m.Rules == "" || m.Rules != rules)
}

// Staged tells whether a staged transaction is to be resumed. Until it is, Begin returns ErrStaged.
func (s *Store) Staged() (Staged, bool, error) {
	m, ok, err := s.readMark()
	if err != nil {
		return Staged{}, false, fmt.Errorf("read staged transaction: %w", err)
	}
	return Staged{End: m.End, Committed: m.Committed, Cursor: m.Cursor, Mapped: m.Mapped,
		Anew: ok && m.anew(s.rules)}, ok, nil
}

// Resume returns a staged transaction as it was begun: its changes, and a Tx that skips the events that it has. The
// caller maps the changes again and calls Add for every event from the first on, or, if it was Mapped, nothing; then
// Commit. It reads all that is staged; when ctx ends it returns its cause, and may be called again.
func (s *Store) Resume(ctx context.Context) (*Overlay, *Tx, error) {
	o, t, err := s.resume(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("resume transaction: %w", err)
	}
	return o, t, nil
}

func (s *Store) resume(ctx context.Context) (*Overlay, *Tx, error) {
	m, ok, err := s.readMark()
	if err == nil && !ok {
		err = ErrNotFound
	}
	if err != nil {
		return nil, nil, err
	}
	if m.anew(s.rules) {
		err = s.unmap(ctx, &m)
	} else {
		err = s.dropUncounted(m.Next)
	}
	if err != nil {
		return nil, nil, err
	}
	o := s.NewOverlay(chunkBytes)
	o.base, o.scratch, o.kept = s.MirrorOf(m.Generation), m.Scratch, true
	if err := o.look(ctx); err != nil {
		return nil, nil, err
	}
	queued, err := s.tallyStaged(ctx)
	if err != nil {
		return nil, nil, err
	}
	if o.Staged() {
		o.base.cursors = &cursors{open: map[string]*cursor{}}
	}
	return o, &Tx{
		store: s, overlay: o, end: m.End, committed: m.Committed, batch: s.newBatch(),
		next: m.Next, skip: m.Cursor, mark: &m, queued: queued, gaps: m.Gaps, events: eventTable{store: s},
	}, nil
}

// tallyStaged counts, by webhook, the events above the visible bound.
func (s *Store) tallyStaged(ctx context.Context) (map[uint32]tally, error) {
	queued := map[uint32]tally{}
	for r, err := range until(ctx, s.scan(eventKey(s.visible.Load()), after([]byte{spaceEvent}))) {
		if err != nil {
			return nil, err
		}
		_, webhooks, err := decodeEvent(r.value)
		if err != nil {
			return nil, err
		}
		tallyUp(queued, webhooks, len(r.value))
	}
	return queued, nil
}

// until ends an iteration with the cause of ctx when that has ended.
func until[T any](ctx context.Context, all iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range all {
			if err == nil && ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
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

// unmap drops the events that were made by other rules. The mark names the new rules only once they are all gone, and
// is on disk before the first new event may be: after a crash in between all are dropped again.
func (s *Store) unmap(ctx context.Context, m *stagedMark) error {
	b := s.newBatch()
	defer s.release(b)
	if err := s.dropEvents(ctx, b, m); err != nil {
		return err
	}
	m.Rules = s.rules
	b.setStaged(*m)
	return s.commitSync(b)
}

// rollBack undoes at Open what a crash left of a transaction that cannot be resumed.
func (s *Store) rollBack() error {
	m, ok, err := s.readMark()
	s.staged.Store(ok)
	if err != nil || !ok || m.Scratch != 0 || s.readOnly {
		return err
	}
	return s.undo(context.Background(), m)
}

// undo removes the events above the visible bound with their entries, and at last the mark.
func (s *Store) undo(ctx context.Context, m stagedMark) error {
	b := s.newBatch()
	defer s.release(b)
	if err := s.dropEvents(ctx, b, &m); err != nil {
		return err
	}
	b.remove(metaKey(metaStaged))
	if m.Scratch != 0 {
		b.removeScratch(m.Scratch)
	}
	return s.commit(b, nil, func() { s.staged.Store(false) })
}

// dropEvents removes the events above the visible bound with their entries: nobody has seen them, and no count but
// those of the mark has them. What the mark counts goes with the first of them. The last are left in the batch.
func (s *Store) dropEvents(ctx context.Context, b *batch, m *stagedMark) error {
	m.Cursor, m.Next, m.Gaps, m.Rules = 0, s.visible.Load(), nil, ""
	b.setStaged(*m)
	for r, err := range until(ctx, s.scan(eventKey(m.Next), after([]byte{spaceEvent}))) {
		if err != nil {
			return err
		}
		_, webhooks, err := decodeEvent(r.value)
		if err != nil {
			return err
		}
		for _, w := range webhooks {
			if err := s.unqueue(b, w, seqOf(r.key)); err != nil {
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
	return nil
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
