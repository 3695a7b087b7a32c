package mapping

// How many bytes of keys are held: of rows that a TRUNCATE is about to delete, and of those that came to a table since
// its last one.
const (
	truncateBudget = 8 << 20
	sinceBudget    = 1 << 20
)

// emptied is a table that the transaction has truncated: of what the mirror had of it nothing is left, and what has
// been put there since is all that a further TRUNCATE has to take.
type emptied struct {
	since keys
	more  bool // since does not hold them all
}

// keys are some keys of rows.
type keys struct {
	list []string
	size int
}

// add appends a key and tells whether there is room for more.
func (k *keys) add(key string, budget int) bool {
	const overhead = 32
	k.list, k.size = append(k.list, key), k.size+len(key)+overhead
	return k.size < budget
}

func (e *emptied) put(key string) {
	if !e.more && !e.since.add(key, sinceBudget) {
		e.since, e.more = keys{}, true
	}
}

// truncate deletes what the transaction itself has put into the table, and what the mirror has of it.
func (f *folding) truncate(b *binding) error {
	e := f.emptied[b.table.def.entity]
	f.emptied[b.table.def.entity] = &emptied{}
	if e != nil && !e.more {
		return f.removeAll(b, e.since.list)
	}
	if err := f.removeInserted(b); err != nil || e != nil {
		return err
	}
	return f.removeMirrored(b)
}

// removeInserted deletes the rows of a table that the transaction has touched and that are there.
func (f *folding) removeInserted(b *binding) error {
	entity, past := uint8(b.table.def.entity), ""
	if !f.overlay.Touches(entity) {
		return nil
	}
	for {
		var found keys // as the overlay must not be set while it is read
		inOrder := f.overlay.Staged()
		for c, err := range f.overlay.ChangesOf(entity, past) {
			if err != nil {
				return err
			}
			if c.After != nil && !found.add(c.Key, truncateBudget) {
				break
			}
		}
		if len(found.list) == 0 {
			return nil
		}
		if err := f.removeAll(b, found.list); err != nil {
			return err
		}
		if inOrder {
			past = found.list[len(found.list)-1]
		}
	}
}

func (f *folding) removeAll(b *binding, keys []string) error {
	for _, key := range keys {
		known, err := f.find(b, key)
		if err != nil {
			return err
		}
		if err := f.remove(b, known); err != nil {
			return err
		}
	}
	return nil
}

// removeMirrored deletes the rows of a table that were there before the transaction.
func (f *folding) removeMirrored(b *binding) error {
	for row, err := range f.overlay.Before().Rows(uint8(b.table.def.entity)) {
		if err != nil {
			return err
		}
		known, err := f.found(b, row.Key, func() ([]byte, error) { return row.Value, nil })
		if err != nil {
			return err
		}
		if err := f.remove(b, known); err != nil {
			return err
		}
	}
	return nil
}

// remove deletes a row of a truncated table, unless it is gone.
func (f *folding) remove(b *binding, k known) error {
	if err := f.truncated(1); err != nil || k.row == nil {
		return err
	}
	return f.set(b, k, nil)
}
