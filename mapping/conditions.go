package mapping

import (
	"bytes"
	"slices"
)

// change is the net change of one row. A row that is soft-deleted counts as absent: nil.
type change struct {
	entity        Entity
	key           string
	before, after *Row
}

// reshaped tells whether one side of a changed row lacks a field that the other has: the table was altered, and what
// its rows refer to cannot be compared.
func (c change) reshaped(fields ...string) bool {
	if c.before == nil || c.after == nil {
		return false
	}
	return slices.ContainsFunc(fields, func(name string) bool {
		return (c.before.cell(name).kind == cellAbsent) != (c.after.cell(name).kind == cellAbsent)
	})
}

// states are the two views that a transaction leads from and to.
type states struct {
	before, after state
	touches       func(e Entity) bool // whether the transaction may have changed a row of the entity
	memo          *memo
	window        *window
	most          int // rows of an owner that are held at a time
	batch         int // pairs that are
}

// firing is one event that a change fires: about the subject with this id, and for a relation the other side's id.
type firing struct{ subject, pair string }

// condition tells which events a change fires.
type condition func(s states, c change) ([]firing, error)

func firesIf(c change, fires bool) ([]firing, error) {
	if !fires {
		return nil, nil
	}
	row := c.after
	if row == nil {
		row = c.before
	}
	return []firing{{subject: row.id()}}, nil
}

func appears(_ states, c change) ([]firing, error) {
	return firesIf(c, c.before == nil && c.after != nil)
}

func disappears(_ states, c change) ([]firing, error) {
	return firesIf(c, c.before != nil && c.after == nil)
}

// changed holds when one of the fields differs between a row's two sides.
func changed(fields ...string) condition {
	return func(_ states, c change) ([]firing, error) {
		if c.before == nil || c.after == nil {
			return nil, nil
		}
		for _, name := range fields {
			if fieldDiffers(c.before, c.after, name) {
				return firesIf(c, true)
			}
		}
		return nil, nil
	}
}

func changedBeyondTimestamps(_ states, c change) ([]firing, error) {
	return firesIf(c, c.before != nil && c.after != nil && differs(c.before, c.after, timestamps))
}

// dated tells whether a row has a date before and after: startedAt and duedAt are one attribute. A date that only one
// side knows does not count.
func dated(c change) (before, after bool) {
	if c.before == nil || c.after == nil {
		return false, false
	}
	for _, name := range []string{"startedAt", "duedAt"} {
		if !c.reshaped(name) {
			before = before || c.before.cell(name).kind == cellText
			after = after || c.after.cell(name).kind == cellText
		}
	}
	return before, after
}

func datesAdded(_ states, c change) ([]firing, error) {
	before, after := dated(c)
	return firesIf(c, !before && after)
}

func datesRemoved(_ states, c change) ([]firing, error) {
	before, after := dated(c)
	return firesIf(c, before && !after)
}

func datesUpdated(_ states, c change) ([]firing, error) {
	before, after := dated(c)
	return firesIf(c, before && after &&
		(fieldDiffers(c.before, c.after, "startedAt") || fieldDiffers(c.before, c.after, "duedAt")))
}

// fieldDiffers tells whether a field has another value. A field that one side does not know is a changed table and not
// a changed value; one that had another type there differs if neither its text nor what is sent of it is the same.
func fieldDiffers(a, b *Row, name string) bool {
	i, inA := a.shape.index[name]
	j, inB := b.shape.index[name]
	if !inA || !inB {
		return false
	}
	x, y := a.cells[i], b.cells[j]
	if x.kind == cellAbsent || y.kind == cellAbsent || x.kind == y.kind && bytes.Equal(x.text, y.text) {
		return false
	}
	return a.shape.fields[i].Type == b.shape.fields[j].Type || !bytes.Equal(a.appendCell(nil, i), b.appendCell(nil, j))
}

// timestamps are the columns whose change alone is no change: every write touches them.
var timestamps = map[string]bool{"createdAt": true, "updatedAt": true}

// identity is timestamps and what a row gets anew when it is deleted and inserted again.
var identity = map[string]bool{"createdAt": true, "updatedAt": true, "id": true, "uid": true}

// differs tells whether a sent field outside except has another value.
func differs(a, b *Row, except map[string]bool) bool {
	for _, f := range b.shape.fields {
		if f.Sent && !except[f.Name] && fieldDiffers(a, b, f.Name) {
			return true
		}
	}
	return false
}
