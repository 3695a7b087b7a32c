package store

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

var (
	errShort = errors.New("record is cut short")
	errRange = errors.New("number is out of range")
)

// decoder takes fields off the front of a record; the first error sticks.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) uint() uint64 {
	n, size := binary.Uvarint(d.b)
	if size <= 0 {
		d.b, d.err = nil, errShort
		return 0
	}
	d.b = d.b[size:]
	return n
}

// upTo reads a number that its field has room for.
func (d *decoder) upTo(most uint64) uint64 {
	n := d.uint()
	if n > most {
		d.b, d.err = nil, errRange
		return 0
	}
	return n
}

func (d *decoder) int() int { return int(d.upTo(math.MaxInt)) }

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.b, d.err = nil, errShort
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) bytes() []byte { return d.take(d.uint()) }

func (d *decoder) string() string { return string(d.bytes()) }

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) time() time.Time { return timeOf(d.upTo(math.MaxInt64)) }

// count reads the length of a list whose elements take at least size bytes each, so that a damaged record cannot ask
// for more memory than it has bytes.
func (d *decoder) count(size int) int {
	n := d.uint()
	if n > uint64(len(d.b)/size) {
		d.b, d.err = nil, errShort
		return 0
	}
	return int(n)
}

func appendBytes[T string | []byte](b []byte, v T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

// micros encodes a time as microseconds since 1970; zero and times before are 0.
func micros(t time.Time) uint64 { return uint64(max(t.UnixMicro(), 0)) }

// timeOf is the time of micros in UTC; 0 is the zero time.
func timeOf(us uint64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(us)).UTC()
}

// appendRow writes a row with its references; nil is told from an empty row by the first byte.
func appendRow(b []byte, r *Row) []byte {
	if r == nil {
		return append(b, 0)
	}
	b = appendBytes(append(b, 1), r.Value)
	b = binary.AppendUvarint(b, uint64(len(r.Refs)))
	for _, ref := range r.Refs {
		b = appendBytes(append(b, ref.Index), ref.Parent)
	}
	return b
}

// row reads what appendRow wrote. Its value is part of what is decoded.
func (d *decoder) row() *Row {
	if d.byte() == 0 {
		return nil
	}
	value := d.bytes()
	r := &Row{Value: value[:len(value):len(value)]}
	for range d.count(2) {
		r.Refs = append(r.Refs, Ref{Index: d.byte(), Parent: d.string()})
	}
	return r
}
