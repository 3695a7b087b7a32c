package store

import "sync"

// rowCache keeps the mirrored rows that were read or written last, and which rows are known to be absent, so that
// composing a value of a list, a project and a company that everybody shares asks Pebble for none of them.
//
// It is two maps: what is used moves to the young one, and when that has taken half of the budget the old one is
// dropped and the young one takes its place. That forgets what was not used for a while, at the cost of nothing.
type rowCache struct {
	mu         sync.Mutex
	half       int // bytes that the young map may take
	size       int // bytes that it takes
	young, old map[cachedRow][]byte
	writes     uint64 // counts calls of put and clear, see fill
}

type cachedRow struct {
	generation uint32
	table      uint8
	key        string
}

// cacheOverhead is what an entry takes beside its key and value, roughly.
const cacheOverhead = 96

func newRowCache(budget int64) *rowCache {
	return &rowCache{half: int(budget / 2), young: map[cachedRow][]byte{}, old: map[cachedRow][]byte{}}
}

// get returns a row, nil if it is known to be absent, and whether anything is known. writes is for fill.
func (c *rowCache) get(row cachedRow) (value []byte, known bool, writes uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if value, known = c.young[row]; known {
		return value, true, c.writes
	}
	if value, known = c.old[row]; known {
		delete(c.old, row)
		c.add(row, value)
	}
	return value, known, c.writes
}

// fill keeps what was read from Pebble, unless something was written since get: the read may have been of before.
func (c *rowCache) fill(row cachedRow, value []byte, writes uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writes == writes {
		c.add(row, value)
	}
}

// put keeps what has been committed; nil for a row that is gone.
func (c *rowCache) put(row cachedRow, value []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	delete(c.old, row)
	c.add(row, value)
}

// clear forgets everything.
func (c *rowCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	clear(c.young)
	clear(c.old)
	c.size = 0
}

// add keeps a row in the young map. A row that would push out most others is not kept.
func (c *rowCache) add(row cachedRow, value []byte) {
	size := len(row.key) + len(value) + cacheOverhead
	if size > c.half/16 {
		delete(c.young, row)
		return
	}
	c.young[row] = value
	if c.size += size; c.size > c.half {
		c.old, c.young, c.size = c.young, map[cachedRow][]byte{}, 0
	}
}
