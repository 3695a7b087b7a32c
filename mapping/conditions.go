package mapping

import "bytes"

// change is the net change of one row. A row that is soft-deleted counts as absent: nil.
type change struct {
	entity        Entity
	key           string
	before, after *Row
}

// states are the two views that a transaction leads from and to.
type states struct{ before, after state }

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

// dated tells whether the row has a date: startedAt and duedAt are one attribute.
func dated(r *Row) bool {
	return r.cell("startedAt").kind == cellText || r.cell("duedAt").kind == cellText
}

func datesAdded(_ states, c change) ([]firing, error) {
	return firesIf(c, c.before != nil && c.after != nil && !dated(c.before) && dated(c.after))
}

func datesRemoved(_ states, c change) ([]firing, error) {
	return firesIf(c, c.before != nil && c.after != nil && dated(c.before) && !dated(c.after))
}

func datesUpdated(_ states, c change) ([]firing, error) {
	return firesIf(c, c.before != nil && c.after != nil && dated(c.before) && dated(c.after) &&
		(fieldDiffers(c.before, c.after, "startedAt") || fieldDiffers(c.before, c.after, "duedAt")))
}

// fieldDiffers tells whether a field has another value. A field that one side does not know, or that had another
// type there, is a changed table and not a changed value.
func fieldDiffers(a, b *Row, name string) bool {
	i, inA := a.shape.index[name]
	j, inB := b.shape.index[name]
	if !inA || !inB || a.shape.fields[i].Type != b.shape.fields[j].Type {
		return false
	}
	x, y := a.cells[i], b.cells[j]
	if x.kind == cellAbsent || y.kind == cellAbsent {
		return false
	}
	return x.kind != y.kind || !bytes.Equal(x.text, y.text)
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
