package capture

import (
	"encoding/binary"
	"fmt"
)

// unwanted tells, by column of rel, which values are dropped on arrival: kept neither in memory nor in a spill file.
// nil means none.
func (s *Stream) unwanted(rel *Relation) []bool {
	if s.start.Wanted == nil {
		return nil
	}
	var unwanted []bool
	for i, wanted := range s.start.Wanted(rel) {
		if wanted {
			continue
		}
		if unwanted == nil {
			unwanted = make([]bool, len(rel.Columns))
		}
		unwanted[i] = true
	}
	return unwanted
}

// strip appends a row message to dst with NULL for every value of an unwanted column. Old rows are cut like new ones.
func strip(dst, msg []byte, unwanted []bool) ([]byte, error) {
	r := reader{b: msg}
	dst = append(dst, r.take(1+4)...) // kind of message, relation
	for len(r.b) > 0 {
		dst = append(dst, r.uint8())
		columns := r.uint16()
		if r.err == nil && int(columns) != len(unwanted) {
			return nil, fmt.Errorf("row of %d columns in a relation of %d", columns, len(unwanted))
		}
		dst = binary.BigEndian.AppendUint16(dst, columns)
		for i := 0; i < int(columns) && r.err == nil; i++ {
			from := r.b
			switch kind := r.uint8(); kind {
			case 't':
				r.take(int(r.uint32()))
			case 'n', 'u':
			default:
				return nil, fmt.Errorf("value of kind %q", kind)
			}
			if unwanted[i] {
				dst = append(dst, 'n')
			} else {
				dst = append(dst, from[:len(from)-len(r.b)]...)
			}
		}
	}
	return dst, r.err
}
