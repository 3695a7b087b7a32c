package mapping

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"bluetap/capture"
	"bluetap/internal/store"
	"bluetap/mapping/value"
)

// A mirrored row is encoded as its shape's number and then, per field, a uvarint: cellAbsent, cellNull, or
// cellText + n followed by n bytes of Postgres' text.
const (
	cellAbsent = iota // the column was not known, or its value could not be had
	cellNull
	cellText
)

var errMalformedRow = errors.New("malformed mirror row")

// cell is one field's value. Text is Postgres' own, so that nothing is lost that a later rule may ask for.
type cell struct {
	kind uint8 // cellAbsent, cellNull or cellText
	text []byte
}

// Row is one mirrored row.
type Row struct {
	key   string
	shape *shape
	cells []cell
}

func encodeRow(sh *shape, cells []cell) []byte {
	size := binary.MaxVarintLen32
	for _, c := range cells {
		size += binary.MaxVarintLen32 + len(c.text)
	}
	b := binary.AppendUvarint(make([]byte, 0, size), uint64(sh.number))
	for _, c := range cells {
		if c.kind != cellText {
			b = append(b, c.kind)
			continue
		}
		b = binary.AppendUvarint(b, cellText+uint64(len(c.text)))
		b = append(b, c.text...)
	}
	return b
}

// decode reads an encoded row, whose cells point into b. A nil b is no row: nil.
func (s *Shapes) decode(key string, b []byte) (*Row, error) {
	if b == nil {
		return nil, nil
	}
	number, n := binary.Uvarint(b)
	if n <= 0 {
		return nil, errMalformedRow
	}
	sh, ok := s.get(uint32(number))
	if !ok {
		return nil, fmt.Errorf("%w: shape %d is unknown", errMalformedRow, number)
	}
	r := &Row{key: key, shape: sh, cells: make([]cell, len(sh.fields))}
	b = b[n:]
	for i := range r.cells {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errMalformedRow
		}
		b = b[n:]
		if v < cellText {
			r.cells[i].kind = uint8(v)
			continue
		}
		size := v - cellText
		if size > uint64(len(b)) {
			return nil, errMalformedRow
		}
		r.cells[i] = cell{kind: cellText, text: b[:size:size]}
		b = b[size:]
	}
	return r, nil
}

// cell returns the named field; an unknown name is an absent cell.
func (r *Row) cell(name string) cell {
	if i, ok := r.shape.index[name]; ok {
		return r.cells[i]
	}
	return cell{}
}

// ofColumn returns the cell that was read from the column that is field f in another shape: by its own name, type and
// place, or what is taken for it may be another column that goes by that name now.
func (r *Row) ofColumn(f field, in *shape) cell {
	for i, own := range r.shape.fields {
		if own.Source == f.Source && own.Type == f.Type && r.shape.sameColumn(own, f, in) {
			return r.cells[i]
		}
	}
	return cell{}
}

// text returns the named field's text and whether it has one: false for null and absent.
func (r *Row) text(name string) (string, bool) {
	c := r.cell(name)
	return string(c.text), c.kind == cellText
}

// id is what foreign keys of other rows hold: the id column, or the key where there is none.
func (r *Row) id() string {
	if id, ok := r.text("id"); ok {
		return id
	}
	return r.key
}

// deleted tells whether there is a row and it is soft-deleted.
func (r *Row) deleted() bool { return r != nil && r.cell(deletedAt).kind == cellText }

// size is how many bytes the row takes in memory, roughly.
func (r *Row) size() int {
	const perRow, perCell = 64, 32
	n := perRow + len(r.key)
	for _, c := range r.cells {
		n += perCell + len(c.text)
	}
	return n
}

// live returns the row, or nil if there is none or it is soft-deleted.
func (r *Row) live() *Row {
	if r == nil || r.deleted() {
		return nil
	}
	return r
}

// appendCell appends the JSON of a field: null for an absent one.
func (r *Row) appendCell(dst []byte, i int) []byte {
	if r.cells[i].kind != cellText {
		return append(dst, "null"...)
	}
	return value.Append(dst, r.shape.fields[i].Type, r.cells[i].text)
}

// refs returns the index entries under which the row is found from other rows.
func (r *Row) refs(m *Model) []store.Ref {
	var refs []store.Ref
	for _, x := range indexes {
		if x.entity != r.shape.entity {
			continue
		}
		if parent, ok := r.text(x.via); ok {
			refs = append(refs, store.Ref{Index: x.number, Parent: parent})
		}
	}
	if t := m.tables[r.shape.entity]; t != nil && !t.keyIsID {
		if id, ok := r.text("id"); ok {
			refs = append(refs, store.Ref{Index: byID(r.shape.entity), Parent: id})
		}
	}
	return refs
}

// rowKey is a mirror key: the texts of the key's columns. Postgres' texts hold no NUL, so it separates them.
func rowKey(values []capture.Value, columns []int) (string, error) {
	if len(columns) == 1 && values[columns[0]].State == capture.Text {
		return string(values[columns[0]].Text), nil
	}
	parts := make([]string, len(columns))
	for i, c := range columns {
		if values[c].State != capture.Text {
			return "", errors.New("a key column has no value")
		}
		parts[i] = string(values[c].Text)
	}
	return strings.Join(parts, "\x00"), nil
}

// index is a way from a row to the rows that refer to it. The numbers stand in state directories: never renumber.
type index struct {
	number uint8
	entity Entity
	via    string
}

// indexes is the table of all ways: those that compose lists, those that find a pair, and for membership.
var indexes = []index{
	{1, TodoCustomField, "todoId"},
	{2, TodoUser, "todoId"},
	{3, TodoTag, "todoId"},
	{4, ChecklistItem, "checklistId"},
	{5, ChecklistItemUser, "checklistItemId"},
	{6, CustomFieldOption, "customFieldId"},
	{7, TodoCustomFieldOption, "todoCustomFieldId"},
	{8, Checklist, "todoId"},
	{9, ProjectUser, "userId"},
}

// byID is the index from an id to its row, for tables whose key is something else.
func byID(e Entity) uint8 { return 100 + uint8(e) }

// indexOf returns the number of the index of entity by its column via.
func indexOf(e Entity, via string) uint8 {
	for _, x := range indexes {
		if x.entity == e && x.via == via {
			return x.number
		}
	}
	return 0
}
