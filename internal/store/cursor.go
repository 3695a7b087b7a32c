package store

import (
	"bytes"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"
)

// A large transaction is mapped by table and key, so that the ranges that are read for it follow each other. Pebble
// steps from one to the next in a fraction of the time that opening an iterator takes, and needs no block twice.

const (
	cursorHead  = 6    // bytes of a reference's key up to the index and with it: each index has a cursor
	scratchHead = 7    // the same of a reference in a scratch range
	cursorScans = 2048 // after which all are opened anew: an open iterator keeps memtables and dropped files
)

// cursors are open iterators over what a large transaction does not change before it is applied. nil has none: each
// scan opens its own. One goroutine uses them.
type cursors struct {
	open  map[string]*cursor
	scans int
}

type cursor struct {
	it   *pebble.Iterator
	busy bool
}

// scan yields the records that begin with prefix, whose first head bytes name the cursor.
func (c *cursors) scan(s *Store, prefix []byte, head int) iter.Seq2[record, error] {
	if c == nil {
		return s.scan(prefix, after(prefix))
	}
	return func(yield func(record, error) bool) {
		at, err := c.at(s, prefix[:head])
		if err != nil {
			yield(record{}, err)
			return
		}
		if at.busy {
			for r, err := range s.scan(prefix, after(prefix)) {
				if !yield(r, err) {
					return
				}
			}
			return
		}
		at.busy = true
		defer func() { at.busy = false }()
		for ok := at.it.SeekGE(prefix); ok && bytes.HasPrefix(at.it.Key(), prefix); ok = at.it.Next() {
			v, err := at.it.ValueAndErr()
			if err != nil {
				yield(record{}, fmt.Errorf("scan: %w", err))
				return
			}
			if !yield(record{at.it.Key(), v}, nil) {
				return
			}
		}
		if err := at.it.Error(); err != nil {
			yield(record{}, fmt.Errorf("scan: %w", err))
		}
	}
}

func (c *cursors) at(s *Store, head []byte) (*cursor, error) {
	if c.scans++; c.scans%s.scans == 0 {
		c.close()
	}
	if at := c.open[string(head)]; at != nil {
		return at, s.fault.get()
	}
	if err := s.fault.get(); err != nil {
		return nil, err
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: bytes.Clone(head), UpperBound: after(head)})
	if err != nil {
		return nil, fmt.Errorf("scan: %w", err)
	}
	at := &cursor{it: it}
	c.open[string(head)] = at
	return at, nil
}

// close closes the iterators that nobody is in the middle of.
func (c *cursors) close() {
	if c == nil {
		return
	}
	for head, at := range c.open {
		if !at.busy {
			_ = at.it.Close() // its error was returned where it was read
			delete(c.open, head)
		}
	}
}

// longScan is scan for a range that takes long to go through, and of which nothing is written meanwhile. It opens its
// iterator anew now and then, for the reason that cursors are.
func (s *Store) longScan(from, to []byte) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		for more := true; more; {
			more = false
			size := 0
			for r, err := range s.scan(from, to) {
				if !yield(r, err) {
					return
				}
				if size += len(r.key) + len(r.value); size >= s.chunk {
					from, more = append(bytes.Clone(r.key), 0), true
					break
				}
			}
		}
	}
}
