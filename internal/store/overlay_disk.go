package store

import (
	"bytes"
	"context"
	"fmt"
	"iter"
)

// spill moves the changes from memory to the scratch range.
func (o *Overlay) spill() error {
	if o.onSpill != nil && len(o.order) > 0 {
		if err := o.onSpill(o.Bytes() + o.pending()); err != nil {
			return err
		}
	}
	if o.scratch == 0 {
		o.scratch, o.lies = o.store.overlays.Add(1), newFilter()
		o.budget = min(o.budget, stagedBudget)
		o.store.rows.clear() // makes room: most of it is going to be changed
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
	o.lying[id.table].add(c.of(id).share(), c.lying)
	b.set(scratchKey(o.scratch, id.table, id.key), appendRow(appendRow(nil, c.before), c.after))
	o.lies.add(id.hash())
	if c.after == nil {
		return
	}
	for _, r := range c.after.Refs {
		b.set(scratchRefKey(o.scratch, r, id.table, id.key), c.after.Value)
		o.lies.add(r.hash())
	}
}

// scratched is fetch for a change that may not be there.
func (o *Overlay) scratched(id rowID) (Change, bool, error) {
	if o.base.at.is(id.table, id.key) {
		return *o.base.at, true, nil
	}
	if !o.lies.has(id.hash()) {
		return Change{}, false, nil
	}
	return o.fetch(id)
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
		return Change{}, damaged(fmt.Errorf("staged change: %w", d.err))
	}
	return c, nil
}

// scratchChanges yields the wanted ones of changes of the scratch range, having moved what is in memory to them.
func (o *Overlay) scratchChanges(all iter.Seq2[Change, error], wanted func(c Change) bool) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		defer func() {
			o.base.at = nil
			o.base.cursors.close()
		}()
		if err := o.spill(); err != nil {
			yield(Change{}, fmt.Errorf("spill changes: %w", err))
			return
		}
		for c, err := range all {
			if err == nil && !wanted(c) {
				continue
			}
			if err == nil {
				o.base.at = &c
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// allScratched yields every change of the scratch range, by table and key.
func (o *Overlay) allScratched() iter.Seq2[Change, error] {
	prefix := scratchPrefix(o.scratch, scratchChange)
	return o.scratchedIn(prefix, after(prefix))
}

// scratchedOf yields the changes of one table with keys past the one given.
func (o *Overlay) scratchedOf(table uint8, past string) iter.Seq2[Change, error] {
	prefix := append(scratchPrefix(o.scratch, scratchChange), table)
	from := prefix
	if past != "" {
		from = append(append(bytes.Clone(prefix), past...), 0)
	}
	return o.scratchedIn(from, after(prefix))
}

func (o *Overlay) scratchedIn(from, to []byte) iter.Seq2[Change, error] {
	head := len(scratchPrefix(o.scratch, scratchChange))
	return func(yield func(Change, error) bool) {
		for r, err := range o.store.longScan(from, to) {
			var c Change
			if err == nil {
				id := r.key[head:]
				c, err = decodeChange(rowID{id[0], string(id[1:])}, bytes.Clone(r.value))
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// look reads the scratch range of a transaction that is resumed: what lies there, and of which tables it is.
func (o *Overlay) look(ctx context.Context) error {
	o.lies = newFilter()
	for c, err := range until(ctx, o.allScratched()) {
		if err != nil {
			return err
		}
		o.tables[c.Table] = true
		o.rows++
		o.lying[c.Table].add(c.share(), share{})
		o.lies.add(rowID{c.Table, c.Key}.hash())
		if c.After == nil {
			continue
		}
		for _, r := range c.After.Refs {
			o.lies.add(r.hash())
		}
	}
	return nil
}

// scratchChildren yields the rows of the scratch range that refer to a parent, but those that have changed again in
// memory.
func (o *Overlay) scratchChildren(ref Ref) iter.Seq2[Child, error] {
	prefix := refPrefix(scratchPrefix(o.scratch, scratchRef), ref.Index, ref.Parent)
	return func(yield func(Child, error) bool) {
		for r, err := range o.base.cursors.scan(o.store, prefix, scratchHead) {
			if err != nil {
				yield(Child{}, err)
				return
			}
			if len(r.key) == len(prefix) {
				yield(Child{}, damaged(fmt.Errorf("staged reference: %w", errShort)))
				return
			}
			id := rowID{r.key[len(prefix)], string(r.key[len(prefix)+1:])}
			if _, again := o.changes[id]; again {
				continue
			}
			if !yield(Child{Table: id.table, Key: id.key, Value: bytes.Clone(r.value)}, nil) {
				return
			}
		}
	}
}

// Discard drops the changes. What a transaction has staged stays on disk, and is the transaction's to drop.
func (o *Overlay) Discard() error {
	o.clear()
	o.base.cursors.close()
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
