package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// A changeLog holds a transaction's messages as they came, each behind a header, and decodes them when they are asked
// for: that is a tenth of the memory of decoded changes, and going to disk is merely writing the blocks.
type changeLog struct {
	relations []*Relation // what the headers' first number points at
	blocks    [][]byte    // whole records each; empty once spilled
	memory    int64       // capacity of blocks
	records   int
	spilled   *spillFile
}

const (
	recordHeader = 8        // index into relations, length of the message: two big-endian uint32
	blockSize    = 64 << 10 // of every block but the first, unless one message is larger
	firstBlock   = 1 << 10
)

// errCutRecord means that a record does not end where its block does: the file was tampered with or the disk lies.
var errCutRecord = errors.New("record of a spilled transaction is cut short")

// add copies msg.
func (l *changeLog) add(rel *Relation, msg []byte) error {
	l.records++
	var header [recordHeader]byte
	binary.BigEndian.PutUint32(header[:4], l.indexOf(rel))
	binary.BigEndian.PutUint32(header[4:], uint32(len(msg)))
	if l.spilled != nil {
		return l.spilled.write(header[:], msg)
	}
	block := l.room(recordHeader + len(msg))
	*block = append(*block, header[:]...)
	*block = append(*block, msg...)
	return nil
}

// indexOf searches from the end because changes of one table mostly stand together.
func (l *changeLog) indexOf(rel *Relation) uint32 {
	for i := len(l.relations) - 1; i >= 0; i-- {
		if l.relations[i] == rel {
			return uint32(i)
		}
	}
	l.relations = append(l.relations, rel)
	return uint32(len(l.relations) - 1)
}

// room returns a block with n bytes to spare.
func (l *changeLog) room(n int) *[]byte {
	if last := len(l.blocks) - 1; last >= 0 && cap(l.blocks[last])-len(l.blocks[last]) >= n {
		return &l.blocks[last]
	}
	size := blockSize
	if len(l.blocks) == 0 {
		size = firstBlock
	}
	l.blocks = append(l.blocks, make([]byte, 0, max(size, n)))
	l.memory += int64(cap(l.blocks[len(l.blocks)-1]))
	return &l.blocks[len(l.blocks)-1]
}

// spill moves everything to a file in dir; what follows goes there too.
func (l *changeLog) spill(dir string) error {
	f, err := newSpillFile(dir)
	if err != nil {
		return err
	}
	l.spilled = f
	for _, block := range l.blocks {
		if err := f.write(block); err != nil {
			return err
		}
	}
	l.blocks, l.memory = nil, 0
	return nil
}

// seal is called once after the last add.
func (l *changeLog) seal() error {
	if l.spilled == nil {
		return nil
	}
	return l.spilled.flush()
}

func (l *changeLog) all() iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		for block, err := range l.read() {
			if err != nil {
				yield(Change{}, err)
				return
			}
			if !l.decode(block, yield) {
				return
			}
		}
	}
}

// read yields runs of whole records.
func (l *changeLog) read() iter.Seq2[[]byte, error] {
	if l.spilled != nil {
		return l.spilled.blocks()
	}
	return func(yield func([]byte, error) bool) {
		for _, block := range l.blocks {
			if !yield(block, nil) {
				return
			}
		}
	}
}

// decode yields the changes of a block; it returns false when the iteration is over.
func (l *changeLog) decode(block []byte, yield func(Change, error) bool) bool {
	for len(block) > 0 {
		if len(block) < recordHeader {
			yield(Change{}, errCutRecord)
			return false
		}
		index, n := binary.BigEndian.Uint32(block), int(binary.BigEndian.Uint32(block[4:]))
		block = block[recordHeader:]
		if n > len(block) || int(index) >= len(l.relations) {
			yield(Change{}, errCutRecord)
			return false
		}
		change, err := decodeChange(l.relations[index], block[:n:n])
		if err != nil {
			yield(Change{}, fmt.Errorf("decode change of %s: %w", l.relations[index].Name, err))
			return false
		}
		if !yield(change, nil) {
			return false
		}
		block = block[n:]
	}
	return true
}

// close may be called more than once.
func (l *changeLog) close() error {
	l.blocks = slices.Clip(l.blocks[:0])
	if l.spilled == nil {
		return nil
	}
	return l.spilled.close()
}
