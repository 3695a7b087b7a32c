package deliver

import (
	"cmp"
	"slices"
	"time"

	"bluetap/internal/store"
)

const scanBatch = 256

// claims is a dispatcher's view of its queue: which pending entries it holds, and how far it has looked. What it
// holds is bounded by the webhook's concurrency, whatever the length of the queue.
//
// The queue is scanned once, upwards. An entry that heads its lanes is claimed: it is ready or under way. Every other
// entry below the cursor is parked, and only counted: it is found again through the store, by its lane when what
// stands before it is finished, or by its due time. While nothing is parked, an entry heads its lanes exactly if
// no claimed entry stands in one of them, and the store need not be asked.
type claims struct {
	st   *store.Store
	hook uint32
	room int // how many ready entries a scan fills up to

	ready  []store.Entry
	held   map[uint64]struct{} // seq of what is ready or under way
	lanes  map[uint64]struct{} // the lanes of those
	cursor uint64              // the first sequence number not looked at
	parked int                 // pending entries below cursor that are not held
	ahead  []store.Entry       // read, from cursor on, but not looked at
	atEnd  bool                // nothing pending from cursor on when last looked
	missed bool                // an entry that could go was left parked for want of room
	due    time.Time           // when the next waiting entry is due; zero = none waits
}

func newClaims(st *store.Store, hook uint32, concurrency int) *claims {
	return &claims{
		st: st, hook: hook, room: max(2*concurrency, 64),
		held: map[uint64]struct{}{}, lanes: map[uint64]struct{}{},
		due: time.Unix(0, 0), // what waited before a restart
	}
}

// pending reports whether the queue may hold anything.
func (c *claims) pending() bool { return len(c.held) > 0 || c.parked > 0 || !c.atEnd }

func (c *claims) holds(e store.Entry) bool {
	_, ok := c.held[e.Seq]
	return ok
}

// free reports whether nothing held stands in e's lanes.
func (c *claims) free(e store.Entry) bool {
	for _, lane := range e.Lanes {
		if _, taken := c.lanes[lane]; taken {
			return false
		}
	}
	return true
}

func (c *claims) claim(e store.Entry) {
	if e.Seq < c.cursor {
		c.parked--
	} else {
		c.ahead, c.atEnd = nil, false // may hold e as it was
	}
	c.hold(e)
}

func (c *claims) hold(e store.Entry) {
	c.held[e.Seq] = struct{}{}
	for _, lane := range e.Lanes {
		c.lanes[lane] = struct{}{}
	}
	c.keep(e)
}

// pop takes the i-th ready entry, which stays held.
func (c *claims) pop(i int) store.Entry {
	e := c.ready[i]
	if i == 0 {
		c.ready[0] = store.Entry{}
		c.ready = c.ready[1:]
		return e
	}
	c.ready = append(c.ready[:i], c.ready[i+1:]...)
	return e
}

// keep makes a held entry ready. The oldest goes first, so that with one request at a time all events of a webhook are
// in order, whatever their records.
func (c *claims) keep(e store.Entry) {
	i, _ := slices.BinarySearchFunc(c.ready, e.Seq, func(r store.Entry, seq uint64) int { return cmp.Compare(r.Seq, seq) })
	c.ready = slices.Insert(c.ready, i, e)
}

func (c *claims) drop(e store.Entry) {
	if e.Seq >= c.cursor {
		c.ahead, c.atEnd = nil, false // may hold e as it was
	}
	delete(c.held, e.Seq)
	for _, lane := range e.Lanes {
		delete(c.lanes, lane)
	}
}

// park gives up a held entry that stays pending.
func (c *claims) park(e store.Entry) {
	c.drop(e)
	if e.Seq < c.cursor {
		c.parked++
	}
	if !e.Due.IsZero() && (c.due.IsZero() || e.Due.Before(c.due)) {
		c.due = e.Due
	}
}

// take removes e from what is ready or parked, for its owner to finish. It reports false for an entry under way.
func (c *claims) take(e store.Entry) bool {
	if !c.holds(e) {
		if e.Seq < c.cursor {
			c.parked--
		} else {
			c.ahead, c.atEnd = nil, false
		}
		return true
	}
	for i := range c.ready {
		if c.ready[i].Seq == e.Seq {
			c.pop(i)
			c.drop(e)
			return true
		}
	}
	return false
}

// follow claims what stood behind e, which has left the queue and is not held.
func (c *claims) follow(e store.Entry, now time.Time) error {
	if c.parked == 0 {
		return nil
	}
	for _, lane := range e.Lanes {
		next, ok, err := c.st.Following(c.hook, lane, e.Seq)
		if err != nil {
			return err
		}
		if !ok || next.Seq >= c.cursor || c.holds(next) || waits(next.Due, next.Wait, now) {
			continue
		}
		if err := c.admit(next); err != nil {
			return err
		}
	}
	return nil
}

// admit claims an entry if it heads its lanes and there is room. One left out for want of room is found again by a
// scan from the start.
func (c *claims) admit(e store.Entry) error {
	if !c.free(e) {
		return nil
	}
	if ok, err := c.st.Heads(c.hook, e); err != nil || !ok {
		return err
	}
	if len(c.ready) >= 4*c.room {
		c.missed = true
		return nil
	}
	c.claim(e)
	return nil
}

// scan looks at no more than one batch of entries, and reports whether there may be more to do at once.
func (c *claims) scan(now time.Time) (more bool, err error) {
	if len(c.ready) >= c.room/2 {
		return false, nil
	}
	if c.missed {
		c.cursor, c.parked, c.ahead, c.atEnd, c.missed = 0, 0, nil, false, false
	}
	if len(c.ahead) == 0 {
		if c.atEnd {
			return false, nil
		}
		if c.ahead, err = c.st.Pending(c.hook, c.cursor, scanBatch); err != nil {
			return false, err
		}
		c.atEnd = len(c.ahead) < scanBatch
	}
	for len(c.ahead) > 0 && len(c.ready) < c.room {
		e := c.ahead[0]
		c.ahead = c.ahead[1:]
		if err := c.look(e, now); err != nil {
			return false, err
		}
	}
	return len(c.ready) < c.room/2 && !(c.atEnd && len(c.ahead) == 0), nil
}

// look moves the cursor past e.
func (c *claims) look(e store.Entry, now time.Time) error {
	if c.holds(e) {
		c.cursor = e.Seq + 1
		return nil
	}
	ok := !waits(e.Due, e.Wait, now) && c.free(e)
	if ok && c.parked > 0 {
		var err error
		if ok, err = c.st.Heads(c.hook, e); err != nil {
			return err
		}
	}
	c.cursor = e.Seq + 1
	if ok {
		c.hold(e)
	} else {
		c.parked++
	}
	return nil
}

// woken tells that entries may have been queued.
func (c *claims) woken() { c.atEnd = false }

// again makes the next scan begin at the start: an entry that was parked for a 410 waits for no lane and no time.
func (c *claims) again() { c.missed = true }

// dueIn is how long until pollDue has something to do; false if nothing waits or there is no room for it.
func (c *claims) dueIn(now time.Time) (time.Duration, bool) {
	if c.due.IsZero() || len(c.ready) >= 2*c.room {
		return 0, false
	}
	return max(c.due.Sub(now), 0), true
}

// pollDue claims what has become due. What is held stands in the store's index too, until it is finished or waits
// anew, so the query looks that far past it.
func (c *claims) pollDue(now time.Time) error {
	if wait, ok := c.dueIn(now); !ok || wait > 0 {
		return nil
	}
	limit := len(c.held) + c.room
	entries, err := c.st.Due(c.hook, now.AddDate(100, 0, 0), limit)
	if err != nil {
		return err
	}
	c.due = time.Time{}
	ready := len(c.ready)
	defer func() {
		if len(entries) == limit && c.due.IsZero() { // there may be more
			c.due = now
			if len(c.ready) == ready {
				c.due = now.Add(time.Second)
			}
		}
	}()
	for _, e := range entries {
		if c.holds(e) {
			continue
		}
		if waits(e.Due, e.Wait, now) {
			c.due = e.Due
			break
		}
		if err := c.admit(e); err != nil {
			return err
		}
	}
	return nil
}
