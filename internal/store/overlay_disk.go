package store

import (
	"fmt"
	"iter"
)

// spill moves the changes from memory to the scratch range.
func (o *Overlay) spill() error {
	if o.scratch == 0 {
		o.scratch = o.store.overlays.Add(1)
	}
	b := o.store.newBatch()
	defer o.store.release(b)
	for _, id := range o.order {
		o.scratchSet(b, id, o.changes[id])
		if b.Len() < o.store.chunk {
			continue
		}
		if err := o.store.commit(b, nil, nil); err != nil {
			return err
		}
		b.Reset()
	}
	if err := o.store.commit(b, nil, nil); err != nil {
		return err
	}
	o.clear()
	return nil
}

func (o *Overlay) scratchSet(b *batch, id rowID, c *change) {
	for _, r := range c.scratched {
		b.remove(scratchRefKey(o.scratch, r, id.table, id.key))
	}
	b.set(scratchKey(o.scratch, id.table, id.key), appendRow(appendRow(nil, c.before), c.after))
	if c.after == nil {
		return
	}
	for _, r := range c.after.Refs {
		b.set(scratchRefKey(o.scratch, r, id.table, id.key), nil)
	}
}

// fetch reads a change from the scratch range.
func (o *Overlay) fetch(id rowID) (Change, bool, error) {
	v, err := o.store.get(scratchKey(o.scratch, id.table, id.key))
	if err != nil || v == nil {
		return Change{}, false, err
	}
	c, err := decodeChange(id, v)
	return c, err == nil, err
}

func decodeChange(id rowID, v []byte) (Change, error) {
	d := decoder{b: v}
	c := Change{Table: id.table, Key: id.key, Before: d.row(), After: d.row()}
	if d.err != nil {
		return Change{}, fmt.Errorf("%w: staged change: %w", ErrDamaged, d.err)
	}
	return c, nil
}

// scratchChanges yields the net changes by table and key, having moved what is in memory to the others.
func (o *Overlay) scratchChanges() iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		if err := o.spill(); err != nil {
			yield(Change{}, fmt.Errorf("spill changes: %w", err))
			return
		}
		prefix := scratchPrefix(o.scratch, scratchChange)
		for r, err := range o.store.scan(prefix, after(prefix)) {
			var c Change
			if err == nil {
				id := r.key[len(prefix):]
				c, err = decodeChange(rowID{id[0], string(id[1:])}, r.value)
			}
			if err == nil && same(c.Before, c.After) {
				continue
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// scratchChildren yields the rows of the scratch range that refer to a parent, but those that have changed again in
// memory.
func (o *Overlay) scratchChildren(ref Ref) iter.Seq2[Child, error] {
	prefix := refPrefix(scratchPrefix(o.scratch, scratchRef), ref.Index, ref.Parent)
	return func(yield func(Child, error) bool) {
		for r, err := range o.store.scan(prefix, after(prefix)) {
			if err != nil {
				yield(Child{}, err)
				return
			}
			if len(r.key) == len(prefix) {
				yield(Child{}, fmt.Errorf("%w: staged reference: %w", ErrDamaged, errShort))
				return
			}
			id := rowID{r.key[len(prefix)], string(r.key[len(prefix)+1:])}
			if _, again := o.changes[id]; again {
				continue
			}
			c, ok, err := o.fetch(id)
			if err == nil && (!ok || c.After == nil) {
				err = fmt.Errorf("%w: staged reference of a row that is not there", ErrDamaged)
			}
			if err != nil {
				yield(Child{}, err)
				return
			}
			if !yield(Child{Table: id.table, Key: id.key, Value: c.After.Value}, nil) {
				return
			}
		}
	}
}

// Discard drops the changes. What a transaction has staged stays on disk, and is the transaction's to drop.
func (o *Overlay) Discard() error {
	o.clear()
	if !o.Staged() || o.kept {
		return nil
	}
	err := o.store.update(func(b *batch) error {
		b.removeScratch(o.scratch)
		return nil
	}, nil)
	if err != nil {
		return fmt.Errorf("discard changes: %w", err)
	}
	o.scratch = 0
	return nil
}

func (b *batch) removeScratch(overlay uint32) {
	prefix := key32(spaceScratch, overlay)
	b.removeRange(prefix, after(prefix))
}

// dropScratch removes what overlays left behind that never were committed. What is staged is kept, and new overlays
// are numbered past it.
func (s *Store) dropScratch() error {
	m, ok, err := s.readMark()
	if err != nil || s.readOnly {
		return err
	}
	keep := uint32(0)
	if ok {
		keep = m.Scratch
	}
	s.overlays.Store(keep)
	key, err := s.first([]byte{spaceScratch}, after([]byte{spaceScratch}))
	if err != nil || key == nil {
		return err
	}
	return s.update(func(b *batch) error {
		if keep > 0 {
			b.removeRange(key32(spaceScratch, 0), key32(spaceScratch, keep))
		}
		b.removeRange(key32(spaceScratch, keep+1), after([]byte{spaceScratch}))
		return nil
	}, nil)
}
