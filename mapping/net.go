package mapping

import (
	"fmt"
	"iter"

	"bluetap/capture"
	"bluetap/internal/store"
)

// Net folds a transaction's changes, in the order of the log, into the overlay: of every row touched the state before
// the transaction and the state after it. What the stream leaves out (unchanged TOASTed columns, the old values of a
// delete) comes from the mirror under the overlay.
func (m *Mapper) Net(o *store.Overlay, changes iter.Seq2[capture.Change, error]) error {
	for c, err := range changes {
		if err != nil {
			return fmt.Errorf("read transaction: %w", err)
		}
		b, err := m.bind(c.Relation)
		if err != nil {
			return err
		}
		if b.table == nil {
			continue
		}
		if err := m.fold(o, b, c); err != nil {
			return fmt.Errorf("apply change of table %s: %w", b.table.source.Name, err)
		}
	}
	return nil
}

func (m *Mapper) fold(o *store.Overlay, b *binding, c capture.Change) error {
	switch c.Op {
	case capture.Insert:
		return m.foldInsert(o, b, c)
	case capture.Update:
		return m.foldUpdate(o, b, c)
	case capture.Delete:
		return m.foldDelete(o, b, c)
	default:
		return m.foldTruncate(o, b)
	}
}

func (m *Mapper) foldInsert(o *store.Overlay, b *binding, c capture.Change) error {
	key, err := rowKey(c.New, b.layout.key)
	if err != nil {
		return err
	}
	known, err := m.current(o, b, key)
	if err != nil {
		return err
	}
	if known != nil {
		m.diverged(b)
	}
	return m.set(o, b, key, m.row(b, key, c, nil), nil)
}

func (m *Mapper) foldUpdate(o *store.Overlay, b *binding, c capture.Change) error {
	for _, i := range b.layout.key {
		if c.New[i].State == capture.Unchanged && c.Old != nil { // a key so large that it lies outside of its row
			c.New[i] = c.Old[i]
		}
	}
	key, err := rowKey(c.New, b.layout.key)
	if err != nil {
		return err
	}
	oldKey := key
	if c.Old != nil {
		if oldKey, err = rowKey(c.Old, b.layout.key); err != nil {
			return err
		}
	}
	known, err := m.current(o, b, oldKey)
	if err != nil {
		return err
	}
	if known == nil {
		m.diverged(b)
	}
	if oldKey != key {
		if err := m.set(o, b, oldKey, nil, nil); err != nil {
			return err
		}
	}
	return m.set(o, b, key, m.row(b, key, c, known), nil)
}

func (m *Mapper) foldDelete(o *store.Overlay, b *binding, c capture.Change) error {
	key, err := rowKey(c.Old, b.layout.key)
	if err != nil {
		return err
	}
	known, err := m.current(o, b, key)
	if err != nil {
		return err
	}
	if known == nil {
		m.diverged(b)
		return nil
	}
	return m.set(o, b, key, nil, nil)
}

// foldTruncate deletes what the mirror has of the table, and what the transaction itself has put there.
func (m *Mapper) foldTruncate(o *store.Overlay, b *binding) error {
	entity := uint8(b.table.def.entity)
	for row, err := range o.Before().Rows(entity) {
		if err != nil {
			return err
		}
		if err := m.set(o, b, row.Key, nil, row.Value); err != nil {
			return err
		}
	}
	var inserted []string // by this transaction; the overlay must not be set while it is read
	for c, err := range o.Changes() {
		if err != nil {
			return err
		}
		if c.Table == entity && c.After != nil {
			inserted = append(inserted, c.Key)
		}
	}
	for _, key := range inserted {
		if err := m.set(o, b, key, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// current returns the row as the transaction has left it so far, nil if there is none.
func (m *Mapper) current(o *store.Overlay, b *binding, key string) (*Row, error) {
	encoded, err := o.Row(uint8(b.table.def.entity), key)
	if err != nil {
		return nil, err
	}
	return m.shapes.decode(key, encoded)
}

// row builds the new row of a change; known is the row before it, which unchanged columns are taken from. A column
// whose value is nowhere to be had is absent, never null.
func (m *Mapper) row(b *binding, key string, c capture.Change, known *Row) *Row {
	r := &Row{key: key, shape: b.shape, cells: make([]cell, len(b.shape.fields))}
	for i, column := range b.layout.columns {
		v := c.New[column]
		if v.State == capture.Unchanged && c.Old != nil && c.Old[column].State == capture.Text {
			v = c.Old[column]
		}
		switch v.State {
		case capture.Text:
			r.cells[i] = cell{kind: cellText, text: v.Text}
		case capture.Null:
			r.cells[i] = cell{kind: cellNull}
		case capture.Unchanged:
			if known != nil {
				r.cells[i] = known.ofColumn(b.shape.fields[i], b.shape)
			}
			if r.cells[i].kind == cellAbsent {
				m.diverged(b)
			}
		}
	}
	return r
}

// set puts the row's state after the change into the overlay, with its state before the transaction: encoded, where
// the caller has it at hand, else nil.
func (m *Mapper) set(o *store.Overlay, b *binding, key string, after *Row, encoded []byte) error {
	entity := uint8(b.table.def.entity)
	c, known, err := o.Change(entity, key)
	if err != nil {
		return err
	}
	before := c.Before
	if !known {
		if encoded == nil {
			if encoded, err = o.Before().Row(entity, key); err != nil {
				return err
			}
		}
		row, err := m.shapes.decode(key, encoded)
		if err != nil {
			return err
		}
		if row != nil {
			before = &store.Row{Value: encoded, Refs: row.refs(m.model)}
		}
	}
	return o.Set(entity, key, before, m.encoded(after))
}

// encoded returns the row as the store keeps it; nil for no row.
func (m *Mapper) encoded(r *Row) *store.Row {
	if r == nil {
		return nil
	}
	return &store.Row{Value: encodeRow(r.shape, r.cells), Refs: r.refs(m.model)}
}

func (m *Mapper) diverged(b *binding) { m.Divergences[b.table.source.Name]++ }

// Copier makes a mirrored row of a copied one. It may be called from several goroutines.
type Copier func(values []capture.Value) (entity uint8, key string, row store.Row, err error)

// Copier returns how a row of the first snapshot becomes a mirrored row: the columns of t, one of Model.Tables.
func (m *Mapper) Copier(t capture.Table) (Copier, error) {
	b, err := m.bind(&capture.Relation{OID: t.OID, Schema: t.Schema, Name: t.Name, Columns: t.Columns})
	if err != nil {
		return nil, err
	}
	return func(values []capture.Value) (uint8, string, store.Row, error) {
		key, err := rowKey(values, b.layout.key)
		if err != nil {
			return 0, "", store.Row{}, fmt.Errorf("copy table %s: %w", t.Name, err)
		}
		row := m.row(b, key, capture.Change{New: values}, nil)
		return uint8(b.table.def.entity), key, *m.encoded(row), nil
	}, nil
}
