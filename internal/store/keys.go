package store

import (
	"bytes"
	"encoding/binary"
)

// Every key begins with one byte that says what it is. Integers are big-endian, so that the order of keys is the order
// of numbers. A parent is escaped and terminated (appendParent), so that no parent is the beginning of another.
//
//	m <name>                               meta record: format, state, position, staged
//	f shape4                               shape, opaque bytes
//	n <webhook id>                         number of a webhook
//	w webhook4                             state of a webhook, opaque bytes
//	c webhook4                             counts of a webhook: delivered, dead, bytes of the dead
//	g generation4 table1 <key>             mirrored row
//	h generation4 index1 <parent> table1 <key>   reference of a mirrored row to its parent; no value
//	s overlay4 0 table1 <key>              scratch: net change of a row
//	s overlay4 1 index1 <parent> table1 <key>    scratch: reference of a row as it is after the change; no value
//	e seq8                                 event
//	q webhook4 seq8                        pending event of a webhook
//	l webhook4 lane8 seq8                  the same by lane; no value
//	d webhook4 due8 seq8                   the same by due time, only while one is set; no value
//	k webhook4 lane8                       lane whose head was dead-lettered; no value
//	o webhook4 seq8                        outcome of a delivery
//	p webhook4 seq8                        the receiver's response to it
//	x webhook4 from8                       gap: what a full queue did not get, from the end of a commit on
const (
	spaceMeta     = 'm'
	spaceShape    = 'f'
	spaceNumber   = 'n'
	spaceWebhook  = 'w'
	spaceCounts   = 'c'
	spaceRow      = 'g'
	spaceRef      = 'h'
	spaceScratch  = 's'
	spaceEvent    = 'e'
	spaceQueue    = 'q'
	spaceLane     = 'l'
	spaceDue      = 'd'
	spaceMark     = 'k'
	spaceOutcome  = 'o'
	spaceResponse = 'p'
	spaceGap      = 'x'
)

// shortest is how long the keys of a space are at least: what takes them apart relies on it.
var shortest = [256]int{
	spaceShape: 5, spaceNumber: 1, spaceWebhook: 5, spaceCounts: 5, spaceRow: 6, spaceRef: 9, spaceScratch: 7,
	spaceEvent: 9, spaceQueue: 13, spaceLane: 21, spaceDue: 21, spaceMark: 13, spaceOutcome: 13, spaceResponse: 13,
	spaceGap: 13,
}

// The two halves of an overlay's scratch range.
const (
	scratchChange = 0
	scratchRef    = 1
)

func metaKey(name string) []byte { return append([]byte{spaceMeta}, name...) }

func numberKey(id string) []byte { return append([]byte{spaceNumber}, id...) }

// key32 is a key of one 32-bit number: a shape, a webhook's state or counts, the beginning of its queue.
func key32(space byte, n uint32) []byte {
	return binary.BigEndian.AppendUint32(append(make([]byte, 0, 24), space), n)
}

// key64 is key32 with one more 64-bit number: a queue entry, an outcome, a marked lane.
func key64(space byte, webhook uint32, n uint64) []byte {
	return binary.BigEndian.AppendUint64(key32(space, webhook), n)
}

// keySeq is the key of an entry that is ordered by something else first: a lane or a due time.
func keySeq(space byte, webhook uint32, first, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(key64(space, webhook, first), seq)
}

func eventKey(seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{spaceEvent}, seq)
}

// seqOf returns the sequence number in which the keys of spaces e, q, l, d, o and p end.
func seqOf(key []byte) uint64 { return binary.BigEndian.Uint64(key[len(key)-8:]) }

// numberOf returns the webhook of a key of a space in which it comes first.
func numberOf(key []byte) uint32 { return binary.BigEndian.Uint32(key[1:]) }

func tablePrefix(generation uint32, table uint8) []byte {
	return append(key32(spaceRow, generation), table)
}

func rowKey(generation uint32, table uint8, key string) []byte {
	b := make([]byte, 0, 6+len(key))
	b = binary.BigEndian.AppendUint32(append(b, spaceRow), generation)
	return append(append(b, table), key...)
}

// refPrefix begins the keys of all rows that refer to a parent.
func refPrefix(head []byte, index uint8, parent string) []byte {
	return appendParent(append(head, index), parent)
}

func refKey(generation uint32, r Ref, table uint8, key string) []byte {
	b := refPrefix(key32(spaceRef, generation), r.Index, r.Parent)
	return append(append(b, table), key...)
}

func scratchPrefix(overlay uint32, half byte) []byte {
	return append(key32(spaceScratch, overlay), half)
}

func scratchKey(overlay uint32, table uint8, key string) []byte {
	return append(append(scratchPrefix(overlay, scratchChange), table), key...)
}

func scratchRefKey(overlay uint32, r Ref, table uint8, key string) []byte {
	b := refPrefix(scratchPrefix(overlay, scratchRef), r.Index, r.Parent)
	return append(append(b, table), key...)
}

// appendParent writes NUL as 00 FF and ends with 00 01, which sorts before any continuation.
func appendParent(dst []byte, parent string) []byte {
	for i := range len(parent) {
		dst = append(dst, parent[i])
		if parent[i] == 0 {
			dst = append(dst, 0xff)
		}
	}
	return append(dst, 0, 1)
}

// after returns the first key that no longer begins with prefix. prefix must hold a byte other than FF.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; ; i-- {
		if end[i] != 0xff {
			end[i]++
			return end[:i+1]
		}
	}
}
