package store

import (
	"context"
	"fmt"
)

// Unstage undoes a staged transaction instead of resuming it: its source has come to have another history. Nothing of
// it was visible; the mirror is as it was, and Applied stays. When ctx ends it returns its cause, and, as after a crash
// in the middle, Unstage or Resume may follow.
func (s *Store) Unstage(ctx context.Context) error {
	m, ok, err := s.readMark()
	if err == nil && !ok {
		err = ErrNotFound
	}
	if err == nil {
		err = s.unapply(ctx, &m)
	}
	if err == nil {
		err = s.undo(ctx, m)
	}
	if err != nil {
		return fmt.Errorf("unstage transaction: %w", err)
	}
	return nil
}

// unapply gives the rows back what they were before a transaction, as far as it may have been applied. Only then its
// mark says that there is nothing to be applied yet; its events are still counted, until they are dropped.
func (s *Store) unapply(ctx context.Context, m *stagedMark) error {
	if !m.Mapped {
		return nil
	}
	b := s.newBatch()
	defer s.release(b)
	if err := s.restore(ctx, b, m); err != nil {
		return err
	}
	m.Mapped = false
	b.setStaged(*m)
	return s.commitSync(b)
}

// restore writes the rows as they were, in pieces. The last is left in the batch.
func (s *Store) restore(ctx context.Context, b *batch, m *stagedMark) error {
	defer s.rows.clear()
	o := s.NewOverlay(chunkBytes)
	o.scratch, o.kept = m.Scratch, true
	for c, err := range o.allScratched() {
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		c.Before, c.After = c.After, c.Before
		b.write(m.Generation, c)
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
