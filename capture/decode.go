package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// The kinds of pgoutput message, protocol version 1 (Postgres manual, "Logical Replication Message Formats").
const (
	msgBegin    = 'B'
	msgCommit   = 'C'
	msgRelation = 'R'
	msgInsert   = 'I'
	msgUpdate   = 'U'
	msgDelete   = 'D'
	msgTruncate = 'T'
	msgType     = 'Y'
	msgOrigin   = 'O'
	msgMessage  = 'M'

	tupleNew = 'N'
	tupleKey = 'K'
	tupleOld = 'O'
)

// What is wrong with a message that is not as long as its fields are.
var (
	errShortMessage = errors.New("message is cut short")
	errLongMessage  = errors.New("message goes on after its last field")
)

// reader takes a message apart. After the first fault everything reads as zero and err says what it was, so that
// callers ask once, at the end.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) || r.err != nil {
		r.err = errors.Join(r.err, errShortMessage)
		r.b = nil
		return nil
	}
	head := r.b[:n:n]
	r.b = r.b[n:]
	return head
}

func (r *reader) uint8() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) string() string {
	n := bytes.IndexByte(r.b, 0)
	s := r.take(n)
	r.take(1)
	return string(s)
}

// end is asked after the last field, and says what is wrong with the message. The manual knows no field that may
// follow: new ones come with a version of the protocol that has to be asked for. So what is left over means that the
// message was not read as it was meant, and then its values cannot be believed either.
func (r *reader) end() error {
	if r.err == nil && len(r.b) > 0 {
		return fmt.Errorf("%w: %d bytes", errLongMessage, len(r.b))
	}
	return r.err
}

// isOld reports whether a tuple of this kind may stand before, or in place of, the new one.
func isOld(kind byte) bool { return kind == tupleKey || kind == tupleOld }

// decodeChange decodes a row message or a TRUNCATE of rel. The values are slices of msg.
func decodeChange(rel *Relation, msg []byte) (Change, error) {
	r := reader{b: msg}
	c := Change{Relation: rel}
	kind := r.uint8()
	if kind == msgTruncate {
		c.Op = Truncate
		return c, r.end()
	}
	r.uint32()
	tuple := r.uint8()
	switch {
	case kind == msgInsert && tuple == tupleNew:
		c.Op, c.New = Insert, r.tuple(len(rel.Columns))
	case kind == msgDelete && isOld(tuple):
		c.Op, c.Old = Delete, r.tuple(len(rel.Columns))
	case kind == msgUpdate && tuple == tupleNew:
		c.Op, c.New = Update, r.tuple(len(rel.Columns))
	case kind == msgUpdate && isOld(tuple):
		c.Op, c.Old = Update, r.tuple(len(rel.Columns))
		if next := r.uint8(); next != tupleNew && r.err == nil {
			return Change{}, fmt.Errorf("tuple of kind %q where the new one should be", next)
		}
		c.New = r.tuple(len(rel.Columns))
	default:
		r.err = errors.Join(r.err, fmt.Errorf("tuple of kind %q in a message of kind %q", tuple, kind))
	}
	if err := r.end(); err != nil {
		return Change{}, err
	}
	return c, nil
}

// tuple reads a row of exactly columns values.
func (r *reader) tuple(columns int) []Value {
	if n := int(r.uint16()); r.err == nil && n != columns {
		r.err = fmt.Errorf("row of %d columns in a relation of %d", n, columns)
	}
	if r.err != nil {
		return nil
	}
	values := make([]Value, columns)
	for i := range values {
		switch kind := r.uint8(); kind {
		case 'n':
		case 'u':
			values[i].State = Unchanged
		case 't':
			values[i] = Value{State: Text, Text: r.take(int(r.uint32()))}
		default:
			r.err = errors.Join(r.err, fmt.Errorf("value of kind %q", kind))
		}
		if r.err != nil {
			return nil
		}
	}
	return values
}

// decodeRelation decodes a Relation message; the columns' types are as the stream names them.
func decodeRelation(msg []byte) (*Relation, error) {
	r := reader{b: msg[1:]}
	rel := &Relation{OID: r.uint32(), Schema: r.string(), Name: r.string()}
	r.uint8()
	columns := int(r.uint16())
	for range columns {
		key := r.uint8()&1 != 0
		rel.Columns = append(rel.Columns, Column{Name: r.string(), Key: key, Type: Type{OID: r.uint32()}})
		r.uint32()
		if r.err != nil {
			return nil, r.err
		}
	}
	if rel.Schema == "" {
		rel.Schema = "pg_catalog"
	}
	return rel, r.end()
}
