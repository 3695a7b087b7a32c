package mapping

import (
	"fmt"
	"iter"

	"bluetap/capture"
	"bluetap/internal/store"
)

// Net folds a transaction's changes, in the order of the log, into the overlay: of every row touched the state before
// the transaction and the state after it. What the stream leaves out (unchanged TOASTed columns, the old values of a
// delete) comes from the mirror under the overlay. A TRUNCATE is one change of any number of rows: truncated is called
// with how many of them are done, as they are, and an error from it ends Net.
func (m *Mapper) Net(
	o *store.Overlay, changes iter.Seq2[capture.Change, error], truncated func(rows int) error,
) error {
	f := &folding{Mapper: m, overlay: o, truncated: truncated, emptied: map[Entity]*emptied{}}
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
		if err := f.fold(b, c); err != nil {
			return fmt.Errorf("apply change of table %s: %w", b.table.source.Name, err)
		}
	}
	return nil
}

// folding is one transaction on its way into an overlay.
type folding struct {
	*Mapper
	overlay   *store.Overlay
	truncated func(rows int) error
	emptied   map[Entity]*emptied // those that the transaction has truncated
}

func (f *folding) fold(b *binding, c capture.Change) error {
	switch c.Op {
	case capture.Insert:
		return f.foldInsert(b, c)
	case capture.Update:
		return f.foldUpdate(b, c)
	case capture.Delete:
		return f.foldDelete(b, c)
	default:
		return f.truncate(b)
	}
}

func (f *folding) foldInsert(b *binding, c capture.Change) error {
	key, err := rowKey(c.New, b.layout.key)
	if err != nil {
		return err
	}
	known, err := f.find(b, key)
	if err != nil {
		return err
	}
	if known.row != nil {
		f.diverged(b)
	}
	return f.set(b, known, f.row(b, key, c, nil))
}

func (f *folding) foldUpdate(b *binding, c capture.Change) error {
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
	known, err := f.find(b, oldKey)
	if err != nil {
		return err
	}
	if known.row == nil {
		f.diverged(b)
	}
	row := f.row(b, key, c, known.row)
	if oldKey != key {
		if err := f.set(b, known, nil); err != nil {
			return err
		}
		if known, err = f.find(b, key); err != nil {
			return err
		}
	}
	return f.set(b, known, row)
}

func (f *folding) foldDelete(b *binding, c capture.Change) error {
	key, err := rowKey(c.Old, b.layout.key)
	if err != nil {
		return err
	}
	known, err := f.find(b, key)
	if err != nil {
		return err
	}
	if known.row == nil {
		f.diverged(b)
		return nil
	}
	return f.set(b, known, nil)
}

// known is a row as the transaction has left it so far.
type known struct {
	key    string
	row    *Row       // nil: there is none
	before *store.Row // as it was before the transaction, nil if there was none
}

// find returns a row as the transaction has left it so far.
func (f *folding) find(b *binding, key string) (known, error) {
	return f.found(b, key, func() ([]byte, error) { return f.overlay.BeforeRow(uint8(b.table.def.entity), key) })
}

// found is find for a row whose state before the transaction, encoded, is at hand.
func (f *folding) found(b *binding, key string, encoded func() ([]byte, error)) (known, error) {
	c, changed, err := f.overlay.Change(uint8(b.table.def.entity), key)
	if err != nil {
		return known{}, err
	}
	k := known{key: key, before: c.Before}
	if changed {
		if c.After != nil {
			k.row, err = f.shapes.decode(key, c.After.Value)
		}
		return k, err
	}
	value, err := encoded()
	if err != nil {
		return known{}, err
	}
	if k.row, err = f.shapes.decode(key, value); err != nil {
		return known{}, err
	}
	if k.row != nil {
		k.before = &store.Row{Value: value, Refs: k.row.refs(f.model)}
	}
	return k, nil
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

// set puts the row's state after the change into the overlay.
func (f *folding) set(b *binding, k known, after *Row) error {
	entity := b.table.def.entity
	if e := f.emptied[entity]; e != nil && after != nil {
		e.put(k.key)
	}
	return f.overlay.Set(uint8(entity), k.key, k.before, f.encoded(after))
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
