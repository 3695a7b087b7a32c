package store

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"slices"
)

// Overlay is the state after a transaction that has not been applied: net changes over the current Mirror. It keeps
// them in memory up to a budget, and beyond that in a scratch range of the database. One goroutine uses it.
type Overlay struct {
	store   *Store
	base    *Mirror
	budget  int64
	size    int64
	changes map[rowID]*change
	order   []rowID
	after   map[Ref]map[rowID]struct{} // the rows of changes that refer to a parent as they are after it
	scratch uint32                     // number of the scratch range; 0 while all changes are in memory
	lies    *filter                    // what may lie in the scratch range; nil while there is none
	kept    bool                       // the scratch range belongs to a staged transaction
	tables  [256]bool                  // those of which rows were set
	rows    int                        // that were set
	lying   [256]share                 // by table: what lies in the scratch range
	onSpill func(bytes int64) error
}

// rowID names a row.
type rowID struct {
	table uint8
	key   string
}

func (id rowID) compare(other rowID) int {
	return cmp.Or(cmp.Compare(id.table, other.table), cmp.Compare(id.key, other.key))
}

// change is a Change in memory, with the references under which the scratch range has the row by now, and its share
// of what lies there.
type change struct {
	before, after *Row
	scratched     []Ref
	lying         share
}

// stagedBudget is what is kept in memory of changes of which others lie on disk.
const stagedBudget = 8 << 20

// NewOverlay returns an empty Overlay over the current Mirror. Of the budget, in bytes, a change takes its rows, and
// some hundred bytes more for itself and each reference. It must be applied (Begin, Commit) or discarded.
func (s *Store) NewOverlay(budget int64) *Overlay {
	o := &Overlay{store: s, base: s.Mirror(), budget: budget}
	o.clear()
	return o
}

func (o *Overlay) clear() {
	o.changes, o.order, o.after, o.size = map[rowID]*change{}, nil, map[Ref]map[rowID]struct{}{}, 0
}

// Before returns the view without the changes.
func (o *Overlay) Before() *Mirror { return o.base }

// Touches tells whether a row of the table may be among the changes.
func (o *Overlay) Touches(table uint8) bool { return o.tables[table] }

// Rows returns how many rows were set, also those that are as they were.
func (o *Overlay) Rows() int { return o.rows }

// OnSpill registers f to be called before changes are moved to disk, with what Bytes will be. An error from f ends the
// Set, or the Begin, that it was called in, and is returned.
func (o *Overlay) OnSpill(f func(bytes int64) error) { o.onSpill = f }

// Staged tells whether changes lie on disk.
func (o *Overlay) Staged() bool { return o.scratch != 0 }

// Row returns the value of a row after the changes, nil if there is none then. It must not be modified.
func (o *Overlay) Row(table uint8, key string) ([]byte, error) {
	c, ok, err := o.Change(table, key)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return o.base.Row(table, key)
	case c.After == nil:
		return nil, nil
	}
	return c.After.Value, nil
}

// BeforeRow returns the value of a row before the changes, nil if there was none. It must not be modified.
func (o *Overlay) BeforeRow(table uint8, key string) ([]byte, error) {
	if o.Staged() {
		return o.base.peek(table, key)
	}
	return o.base.Row(table, key)
}

// Set records that a row is now after, nil for deleted. before is the row in the base view: the same at every Set of
// that row; the first one counts. Both belong to the Overlay from here on.
func (o *Overlay) Set(table uint8, key string, before, after *Row) error {
	o.tables[table] = true
	id := rowID{table, key}
	c, err := o.open(id, before)
	if err != nil {
		return fmt.Errorf("set row: %w", err)
	}
	o.unlink(id, c.after)
	o.size += after.size() - c.after.size()
	c.after = after
	o.link(id, after)
	if o.size <= o.budget {
		return nil
	}
	if err := o.spill(); err != nil {
		return fmt.Errorf("spill changes: %w", err)
	}
	return nil
}

// changeOverhead is about what a change takes in memory beside its bytes.
const changeOverhead = 200

func (r *Row) size() int64 {
	if r == nil {
		return 0
	}
	n := int64(len(r.Value))
	for _, ref := range r.Refs {
		n += int64(len(ref.Parent)) + 2*changeOverhead
	}
	return n
}

// open returns the change of a row in memory, made anew or fetched from the scratch range if need be.
func (o *Overlay) open(id rowID, before *Row) (*change, error) {
	if c, ok := o.changes[id]; ok {
		return c, nil
	}
	c := &change{before: before, after: before}
	if o.Staged() {
		found, ok, err := o.scratched(id)
		if err != nil {
			return nil, err
		}
		if ok {
			o.rows--
			c = &change{before: found.Before, after: found.After, lying: found.share()}
			if found.After != nil {
				c.scratched = found.After.Refs
			}
		}
	}
	o.changes[id] = c
	o.order = append(o.order, id)
	o.rows++
	o.size += changeOverhead + 2*int64(len(id.key)) + c.before.size() + c.after.size()
	return c, nil
}

func (o *Overlay) unlink(id rowID, r *Row) {
	if r == nil {
		return
	}
	for _, ref := range r.Refs {
		delete(o.after[ref], id)
		if len(o.after[ref]) == 0 {
			delete(o.after, ref) // a row may pass through a million parents
		}
	}
}

func (o *Overlay) link(id rowID, r *Row) {
	if r == nil {
		return
	}
	for _, ref := range r.Refs {
		if o.after[ref] == nil {
			o.after[ref] = map[rowID]struct{}{}
		}
		o.after[ref][id] = struct{}{}
	}
}

// Change returns the change of a row; false if it has none. A row that was set to what it had been counts as changed.
func (o *Overlay) Change(table uint8, key string) (Change, bool, error) {
	id := rowID{table, key}
	if c, ok := o.changes[id]; ok {
		return Change{Table: table, Key: key, Before: c.before, After: c.after}, true, nil
	}
	if !o.Staged() {
		return Change{}, false, nil
	}
	return o.scratched(id)
}

// Changes yields the net changes: in the order of the first Set of their rows while they are in memory, by table and
// key once they lie on disk. What came and went, and what is as it was, is left out. An error ends the iteration.
// There must be no Set before it has ended.
func (o *Overlay) Changes() iter.Seq2[Change, error] {
	if o.Staged() {
		return o.scratchChanges(o.allScratched(), Change.net)
	}
	return o.remembered(Change.net)
}

// ChangesOf is Changes for one table, with the rows that came and went or are as they were, and once they lie on disk
// without those up to the key past.
func (o *Overlay) ChangesOf(table uint8, past string) iter.Seq2[Change, error] {
	if o.Staged() {
		return o.scratchChanges(o.scratchedOf(table, past), func(Change) bool { return true })
	}
	return o.remembered(func(c Change) bool { return c.Table == table })
}

// net tells whether the row is not as it was.
func (c Change) net() bool { return !same(c.Before, c.After) }

// remembered yields the wanted ones of the changes in memory.
func (o *Overlay) remembered(wanted func(c Change) bool) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		for _, id := range o.order {
			known := o.changes[id]
			c := Change{Table: id.table, Key: id.key, Before: known.before, After: known.after}
			if wanted(c) && !yield(c, nil) {
				return
			}
		}
	}
}

func same(a, b *Row) bool {
	if a == nil || b == nil {
		return a == b
	}
	return bytes.Equal(a.Value, b.Value) && slices.Equal(a.Refs, b.Refs)
}

// Children yields the rows that have a Ref{index, parent} after the changes, by table and key. An error ends the
// iteration. The cost is that of the parent's rows, however many changes there are.
func (o *Overlay) Children(index uint8, parent string) iter.Seq2[Child, error] {
	ref := Ref{index, parent}
	rows := o.base.children(index, parent, func(table uint8, key string) (bool, error) {
		_, changed, err := o.Change(table, key)
		return changed, err
	})
	if o.Staged() && o.lies.has(ref.hash()) {
		rows = merge(rows, o.scratchChildren(ref))
	}
	if len(o.after[ref]) == 0 {
		return rows
	}
	return merge(rows, o.added(ref))
}

// added yields the rows changed in memory that refer to a parent.
func (o *Overlay) added(ref Ref) iter.Seq2[Child, error] {
	ids := make([]rowID, 0, len(o.after[ref]))
	for id := range o.after[ref] {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, rowID.compare)
	return func(yield func(Child, error) bool) {
		for _, id := range ids {
			if !yield(Child{Table: id.table, Key: id.key, Value: o.changes[id].after.Value}, nil) {
				return
			}
		}
	}
}

// merge yields two ordered sequences that have no row in common as one.
func merge(a, b iter.Seq2[Child, error]) iter.Seq2[Child, error] {
	return func(yield func(Child, error) bool) {
		next, stop := iter.Pull2(b)
		defer stop()
		second, err, more := next()
		for first, failed := range a {
			for more && failed == nil && (err != nil || second.id().compare(first.id()) < 0) {
				if !yield(second, err) || err != nil {
					return
				}
				second, err, more = next()
			}
			if !yield(first, failed) || failed != nil {
				return
			}
		}
		for more && yield(second, err) && err == nil {
			second, err, more = next()
		}
	}
}

func (c Child) id() rowID { return rowID{c.Table, c.Key} }
