package mapping

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"bluetap/internal/store"
)

// View reads one committed state of Blue's tables. Tables are Entity numbers; rows are as Net encoded them.
type View interface {
	// Row returns a row by its key, nil if there is none.
	Row(table uint8, key string) ([]byte, error)
	// Children yields the rows that have a Ref of this index and parent, in key order.
	Children(index uint8, parent string) iter.Seq2[store.Child, error]
}

// Changed is the View after a transaction, which can tell what the transaction was about.
type Changed interface {
	View
	// Touches tells whether a row of the table may be among the changes. It may be true without one.
	Touches(table uint8) bool
}

// state is a View read as Blue's rows.
type state struct {
	view   View
	model  *Model
	shapes *Shapes
}

// byID returns the entity's row whose id a foreign key holds, nil if there is none.
func (s state) byID(e Entity, id string) (*Row, error) {
	t := s.model.tables[e]
	if t == nil {
		return nil, nil
	}
	if t.keyIsID {
		return s.byKey(e, id)
	}
	for child, err := range s.view.Children(byID(e), id) {
		if err != nil {
			return nil, fmt.Errorf("read %s by id: %w", e, err)
		}
		return s.shapes.decode(child.Key, child.Value)
	}
	return nil, nil
}

// byKey returns the entity's row with this mirror key, nil if there is none.
func (s state) byKey(e Entity, key string) (*Row, error) {
	encoded, err := s.view.Row(uint8(e), key)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", e, err)
	}
	return s.shapes.decode(key, encoded)
}

// byKeys returns the entity's rows with these mirror keys.
func (s state) byKeys(e Entity, keys []string) ([]*Row, error) {
	var rows []*Row
	for _, key := range keys {
		row, err := s.byKey(e, key)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// parent returns the row that r's field via refers to, nil if there is none.
func (s state) parent(r *Row, e Entity, via string) (*Row, error) {
	id, ok := r.text(via)
	if !ok {
		return nil, nil
	}
	return s.byID(e, id)
}

// children returns the live rows of an entity whose field via is id, by key.
func (s state) children(e Entity, via, id string) ([]*Row, error) {
	var rows []*Row
	for child, err := range s.raw(e, via, id) { // not each: this is asked of every event
		if err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", e, via, err)
		}
		row, err := s.shapes.decode(child.Key, child.Value)
		if err != nil {
			return nil, err
		}
		if row.live() != nil {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// byPosition orders rows as they stand in arrays: by position with none or null last, then createdAt, then key.
func byPosition(rows []*Row) {
	slices.SortFunc(rows, func(a, b *Row) int {
		return cmp.Or(
			compareCells(a.cell("position"), b.cell("position"), compareNumbers),
			compareCells(a.cell("createdAt"), b.cell("createdAt"), cmp.Compare),
			cmp.Compare(a.key, b.key))
	})
}

func compareCells(a, b cell, compare func(a, b string) int) int {
	aHas, bHas := a.kind == cellText, b.kind == cellText
	switch {
	case aHas && bHas:
		return compare(string(a.text), string(b.text))
	case aHas:
		return -1
	case bHas:
		return 1
	}
	return 0
}

// compareNumbers compares two decimals exactly: positions are halved between neighbours until floats run out of
// digits. What is no finite number comes last.
func compareNumbers(a, b string) int {
	if a == b {
		return 0
	}
	x, xErr := strconv.ParseFloat(a, 64)
	y, yErr := strconv.ParseFloat(b, 64)
	switch {
	case xErr != nil || yErr != nil || math.IsNaN(x) || math.IsNaN(y):
		return cmp.Or(compareBool(xErr != nil || math.IsNaN(x), yErr != nil || math.IsNaN(y)), cmp.Compare(a, b))
	case x != y || strings.ContainsAny(a+b, "eE"): // an exponent of a billion digits must not become a big number
		return cmp.Compare(x, y)
	}
	exactX, xOK := new(big.Rat).SetString(a)
	exactY, yOK := new(big.Rat).SetString(b)
	if !xOK || !yOK {
		return cmp.Compare(a, b)
	}
	return exactX.Cmp(exactY)
}

// compareBool puts false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
