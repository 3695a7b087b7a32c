package store

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
)

// Ref says that a row belongs to a parent: an index that the caller numbers, and the parent's key in it.
type Ref struct {
	Index  uint8
	Parent string
}

// Row is a row's value with what it refers to. The store keeps both as they are given and looks into neither.
type Row struct {
	Value []byte
	Refs  []Ref
}

// Change is the net change of one row: Before nil is a row that appears, After nil one that disappears.
type Change struct {
	Table  uint8
	Key    string
	Before *Row
	After  *Row
}

func (c *Change) is(table uint8, key string) bool {
	return c != nil && c.Table == table && c.Key == key
}

// Child is a row found by what it belongs to. Value must not be modified.
type Child struct {
	Table uint8
	Key   string
	Value []byte
}

// Mirror is a view of one generation of the mirrored rows, as of all that has been applied when it is asked. Only the
// goroutine that applies sees a state between two transactions for certain.
type Mirror struct {
	store      *Store
	generation uint32
	cursors    *cursors // of a large transaction, else nil
	at         *Change  // that an Overlay over this view has just yielded from disk, else nil
}

// Mirror returns a view of the generation that is current now.
func (s *Store) Mirror() *Mirror { return s.MirrorOf(s.State().Generation) }

// MirrorOf returns a view of a generation that need not be the current one. An unknown one is empty.
func (s *Store) MirrorOf(generation uint32) *Mirror { return &Mirror{store: s, generation: generation} }

// Row returns the value of a row, nil if there is none. The bytes must not be modified.
func (m *Mirror) Row(table uint8, key string) ([]byte, error) {
	if m.at.is(table, key) {
		if m.at.Before == nil {
			return nil, nil
		}
		return m.at.Before.Value, nil
	}
	row := cachedRow{m.generation, table, key}
	v, known, writes := m.store.rows.get(row)
	if known {
		return v, m.store.fault.get()
	}
	v, err := m.store.get(rowKey(m.generation, table, key))
	if err != nil {
		return nil, fmt.Errorf("read row: %w", err)
	}
	m.store.rows.fill(row, v, writes)
	return v, nil
}

// peek is Row for one that nobody is going to ask for again.
func (m *Mirror) peek(table uint8, key string) ([]byte, error) {
	if v, known, _ := m.store.rows.get(cachedRow{m.generation, table, key}); known {
		return v, m.store.fault.get()
	}
	v, err := m.store.get(rowKey(m.generation, table, key))
	if err != nil {
		return nil, fmt.Errorf("read row: %w", err)
	}
	return v, nil
}

// Children yields the rows that have a Ref{index, parent}, by table and key. An error ends the iteration.
func (m *Mirror) Children(index uint8, parent string) iter.Seq2[Child, error] {
	return m.children(index, parent, nil)
}

// children leaves out the rows that skip, if not nil, names.
func (m *Mirror) children(
	index uint8, parent string, skip func(table uint8, key string) (bool, error),
) iter.Seq2[Child, error] {
	prefix := refPrefix(key32(spaceRef, m.generation), index, parent)
	return func(yield func(Child, error) bool) {
		for r, err := range m.cursors.scan(m.store, prefix, cursorHead) {
			if err != nil {
				yield(Child{}, err)
				return
			}
			c, left, err := m.child(r.key[len(prefix):], skip)
			if left {
				continue
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

func (m *Mirror) child(
	id []byte, skip func(table uint8, key string) (bool, error),
) (c Child, left bool, err error) {
	if len(id) == 0 {
		return c, false, damaged(fmt.Errorf("reference: %w", errShort))
	}
	c = Child{Table: id[0], Key: string(id[1:])}
	if skip != nil {
		if left, err = skip(c.Table, c.Key); left || err != nil {
			return c, left, err
		}
	}
	if c.Value, err = m.Row(c.Table, c.Key); err == nil && c.Value == nil {
		err = damaged(errors.New("reference of a row that is not there"))
	}
	return c, false, err
}

// Rows yields all rows of a table by key. An error ends the iteration.
func (m *Mirror) Rows(table uint8) iter.Seq2[Child, error] {
	prefix := tablePrefix(m.generation, table)
	return func(yield func(Child, error) bool) {
		for r, err := range m.store.longScan(prefix, after(prefix)) {
			if err != nil {
				yield(Child{}, err)
				return
			}
			c := Child{Table: table, Key: string(r.key[len(prefix):]), Value: bytes.Clone(r.value)}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// write adds the net change of a row to a batch. Writing it twice is the same as once.
func (b *batch) write(generation uint32, c Change) {
	if c.Before != nil {
		for _, r := range c.Before.Refs {
			b.remove(refKey(generation, r, c.Table, c.Key))
		}
	}
	key := rowKey(generation, c.Table, c.Key)
	if c.After == nil {
		b.remove(key)
		return
	}
	b.set(key, c.After.Value)
	for _, r := range c.After.Refs {
		b.set(refKey(generation, r, c.Table, c.Key), nil)
	}
}

// DropGeneration removes all rows of a generation: one that a copy left half done, or one that has been replaced. It
// is on disk when it returns. An unknown generation is no error.
func (s *Store) DropGeneration(generation uint32) error {
	b := s.newBatch()
	defer s.release(b)
	for _, space := range []byte{spaceRow, spaceRef} {
		prefix := key32(space, generation)
		b.removeRange(prefix, after(prefix))
	}
	if err := s.commitSync(b); err != nil {
		return fmt.Errorf("drop generation: %w", err)
	}
	s.rows.clear()
	return nil
}
