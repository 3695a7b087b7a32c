//go:build unix

package capture

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// isWhatWasSent tells whether a change, written as pgoutput does, is msg byte for byte. Only the relation's number and
// whether an old row is a key's or a whole one are not in a change.
func isWhatWasSent(c Change, msg []byte) bool {
	return bytes.Equal(encode(c, msg, tupleKey), msg) || bytes.Equal(encode(c, msg, tupleOld), msg)
}

func encode(c Change, msg []byte, old byte) []byte {
	b := []byte{[...]byte{Insert: msgInsert, Update: msgUpdate, Delete: msgDelete, Truncate: msgTruncate}[c.Op]}
	if c.Op != Truncate {
		b = appendSame(b, msg, 4)
	}
	if c.Old != nil {
		b = encodeTuple(b, old, c.Old)
	}
	if c.New != nil {
		b = encodeTuple(b, tupleNew, c.New)
	}
	return b
}

func encodeTuple(b []byte, kind byte, values []Value) []byte {
	b = binary.BigEndian.AppendUint16(append(b, kind), uint16(len(values)))
	for _, v := range values {
		b = append(b, [...]byte{Null: 'n', Unchanged: 'u', Text: 't'}[v.State])
		if v.State == Text {
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(v.Text))), v.Text...)
		}
	}
	return b
}

// encodeRelation writes a relation as pgoutput does; what is not kept of it is taken from msg.
func encodeRelation(rel *Relation, msg []byte) []byte {
	schema := rel.Schema
	if schema == "pg_catalog" && msg[5] == 0 {
		schema = ""
	}
	b := message(msgRelation, rel.OID, schema, byte(0), rel.Name, byte(0))
	b = appendSame(b, msg, 1) // the replica identity
	b = binary.BigEndian.AppendUint16(b, uint16(len(rel.Columns)))
	for _, c := range rel.Columns {
		flags := appendSame(nil, msg[min(len(b), len(msg)):], 1)
		if len(flags) == 0 || flags[0]&1 != 0 != c.Key {
			return nil
		}
		b = append(append(b, flags...), message(c.Name, byte(0), c.Type.OID)...)
		b = appendSame(b, msg, 4) // the type's modifier
	}
	return b
}

// appendSame appends the n bytes that msg has where b ends, or as many of them as there are.
func appendSame(b, msg []byte, n int) []byte {
	return append(b, msg[min(len(b), len(msg)):min(len(b)+n, len(msg))]...)
}

// FuzzDecodeChange holds that no message crashes, and that what is read is the whole of what was sent: written again,
// it is the message.
func FuzzDecodeChange(f *testing.F) {
	f.Add(message('U', uint32(7), 'K', uint16(2), 't', uint32(1), "k", 'n', 'N', uint16(2), 'n', 'u'))
	f.Add(message('T'))
	f.Fuzz(func(t *testing.T, msg []byte) {
		c, err := decodeChange(pair, msg)
		if err != nil {
			return
		}
		if c.Relation != pair || !isWhatWasSent(c, msg) {
			t.Fatalf("read as %+v", c)
		}
		for _, values := range [][]Value{c.Old, c.New} {
			if values != nil && len(values) != len(pair.Columns) {
				t.Fatalf("%d values", len(values))
			}
			for _, v := range values {
				if v.State != Text && v.Text != nil {
					t.Fatalf("value %+v", v)
				}
			}
		}
	})
}

// FuzzDecodeRelation holds the same of the description of a relation.
func FuzzDecodeRelation(f *testing.F) {
	f.Add(message('R', uint32(9), "s\x00t\x00", 'd', uint16(1), byte(1), "a\x00", uint32(23), uint32(0)))
	f.Fuzz(func(t *testing.T, msg []byte) {
		if len(msg) == 0 || msg[0] != msgRelation {
			return // the caller has looked at it
		}
		if rel, err := decodeRelation(msg); err == nil && !bytes.Equal(encodeRelation(rel, msg), msg) {
			t.Fatalf("read as %+v", rel)
		}
	})
}
