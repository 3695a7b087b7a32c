package store

import "sync"

// cache keeps what was read or written last in memory: the mirrored rows, and which rows are known to be absent, so
// that composing a value with a list, a project and a company that everybody shares asks Pebble for none of them; and
// the newest events, so that one that is delivered at once is not read back.
//
// It is two maps: what is used moves to the young one, and when that has taken half of the budget the old one is
// dropped and the young one takes its place. That forgets what was not used for a while, at the cost of nothing.
type cache[K comparable] struct {
	mu         sync.Mutex
	half       int // bytes that the young map may take
	size       int // bytes that it takes
	young, old map[K][]byte
	writes     uint64 // counts calls of put and clear, see fill
}

// cachedRow names a row in the cache of rows.
type cachedRow struct {
	generation uint32
	table      uint8
	key        string
}

// cacheOverhead is what an entry takes beside its value, roughly.
const cacheOverhead = 256

func newCache[K comparable](budget int64) *cache[K] {
	return &cache[K]{half: int(budget / 2), young: map[K][]byte{}, old: map[K][]byte{}}
}

// get returns a value, nil if it is known to be absent, and whether anything is known. writes is for fill.
func (c *cache[K]) get(key K) (value []byte, known bool, writes uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if value, known = c.young[key]; known {
		return value, true, c.writes
	}
	if value, known = c.old[key]; known {
		delete(c.old, key)
		c.add(key, value)
	}
	return value, known, c.writes
}

// fill keeps what was read from Pebble, unless something was written since get: the read may have been of before.
func (c *cache[K]) fill(key K, value []byte, writes uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writes == writes {
		c.add(key, value)
	}
}

// put keeps what has been committed; nil for what is gone.
func (c *cache[K]) put(key K, value []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	delete(c.old, key)
	c.add(key, value)
}

// clear forgets everything.
func (c *cache[K]) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	clear(c.young)
	clear(c.old)
	c.size = 0
}

// add keeps a value in the young map. One that would push out most others is not kept.
func (c *cache[K]) add(key K, value []byte) {
	size := len(value) + cacheOverhead
	if size > c.half/16 {
		delete(c.young, key)
		return
	}
	c.young[key] = value
	if c.size += size; c.size > c.half {
		c.old, c.young, c.size = c.young, map[K][]byte{}, 0
	}
}
