package store

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"
	"time"
)

// Entry is an event that is pending for one webhook.
type Entry struct {
	Seq       uint64
	Lanes     []uint64      // one or two
	Attempts  int           // that have failed
	Due       time.Time     // not to be sent before; zero for at once
	Wait      time.Duration // how far ahead Due lay when it was set, so that a clock set back since can be told
	Committed time.Time     // commit time of the event
	Bytes     int64         // of the event as stored
	Replay    bool          // queued again by a person
}

// queue is what is kept in memory about a webhook's queue. Deleted keys are slow to step over, and a queue leaves
// many behind at its head; so each scan begins at a floor, below which it is known that nothing is left.
type queue struct {
	mu     sync.Mutex // never held across a call into Pebble
	floor  uint64     // no pending entry is below
	due    uint64     // microseconds; no due time is below
	epoch  uint64     // counts what may have put a due time below the floor
	counts Stats
	limit  QueueLimit
	gaps   []Gap // by From; the last one may be without an end
}

// Stats are counts of one webhook's queue.
type Stats struct {
	Pending   uint64    // entries not yet delivered or dead
	Bytes     uint64    // of their events, each counted in full for each webhook
	Dead      uint64    // dead letters that are kept
	DeadBytes uint64    // of their events, counted likewise
	Delivered uint64    // deliveries ever
	Oldest    time.Time // commit time of the first pending entry; zero if there is none
}

// queue returns what is kept about a webhook.
func (s *Store) queue(w uint32) *queue {
	s.queueMu.Lock()
	defer s.queueMu.Unlock()
	q := s.queues[w]
	if q == nil {
		q = &queue{}
		s.queues[w] = q
	}
	return q
}

func (q *queue) grow(c tally) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.counts.Pending += c.entries
	q.counts.Bytes += c.bytes
}

// raise moves a floor up.
func (q *queue) raise(floor *uint64, to uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	*floor = max(*floor, to)
}

func (q *queue) pendingFloor() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.floor
}

// Pending returns up to limit entries of a webhook from sequence number from on, ascending; those whose due time is
// ahead are among them.
func (s *Store) Pending(w uint32, from uint64, limit int) ([]Entry, error) {
	q := s.queue(w)
	floor, bound := q.pendingFloor(), s.visible.Load()
	if limit <= 0 || max(from, floor) >= bound {
		return nil, s.fault.get()
	}
	entries := make([]Entry, 0, min(limit, 64))
	for r, err := range s.scan(key64(spaceQueue, w, max(from, floor)), key64(spaceQueue, w, bound)) {
		if err != nil {
			return nil, fmt.Errorf("read queue: %w", err)
		}
		e, err := decodeEntry(seqOf(r.key), r.value)
		if err != nil {
			return nil, fmt.Errorf("read queue: %w", err)
		}
		if entries = append(entries, e); len(entries) == limit {
			break
		}
	}
	if from <= floor {
		if len(entries) > 0 {
			bound = entries[0].Seq
		}
		q.raise(&q.floor, bound)
	}
	return entries, nil
}

// Entry returns the pending entry of a webhook with a sequence number; false if there is none (any more).
func (s *Store) Entry(w uint32, seq uint64) (Entry, bool, error) {
	if seq >= s.visible.Load() {
		return Entry{}, false, s.fault.get()
	}
	e, ok, err := s.entry(w, seq)
	if err != nil {
		return Entry{}, false, fmt.Errorf("read queue: %w", err)
	}
	return e, ok, nil
}

func (s *Store) entry(w uint32, seq uint64) (Entry, bool, error) {
	v, err := s.get(key64(spaceQueue, w, seq))
	if err != nil || v == nil {
		return Entry{}, false, err
	}
	e, err := decodeEntry(seq, v)
	return e, err == nil, err
}

// Retry keeps an entry pending with e's Attempts, Due and Wait. An entry that is no longer pending is left alone. A
// crash may undo it, as it may undo Finish: then it is sent again, under the same id.
func (s *Store) Retry(w uint32, e Entry) error {
	err := s.update(func(b *batch) error {
		old, ok, err := s.entry(w, e.Seq)
		if err != nil || !ok {
			return err
		}
		b.removeDue(w, old)
		old.Attempts, old.Due, old.Wait = e.Attempts, e.Due, e.Wait
		b.set(key64(spaceQueue, w, e.Seq), appendEntry(nil, old))
		if !e.Due.IsZero() {
			b.set(keySeq(spaceDue, w, micros(e.Due), e.Seq), nil)
		}
		return nil
	}, func() {
		if !e.Due.IsZero() {
			s.queue(w).lowerDue(micros(e.Due))
		}
	})
	if err != nil {
		return fmt.Errorf("keep for retry: %w", err)
	}
	return nil
}

func (b *batch) removeDue(w uint32, e Entry) {
	if !e.Due.IsZero() {
		b.remove(keySeq(spaceDue, w, micros(e.Due), e.Seq))
	}
}

// Stats returns the counts of a webhook. It reads at most one entry.
func (s *Store) Stats(w uint32) (Stats, error) {
	first, err := s.Pending(w, 0, 1)
	if err != nil {
		return Stats{}, err
	}
	q := s.queue(w)
	q.mu.Lock()
	defer q.mu.Unlock()
	st := q.counts
	if len(first) > 0 {
		st.Oldest = first[0].Committed
	}
	return st, nil
}

const flagReplay = 1

func appendEntry(b []byte, e Entry) []byte {
	var flags byte
	if e.Replay {
		flags = flagReplay
	}
	b = append(b, flags)
	for _, n := range []uint64{
		uint64(e.Attempts), micros(e.Due), micros(e.Committed), uint64(e.Bytes), uint64(len(e.Lanes)),
	} {
		b = binary.AppendUvarint(b, n)
	}
	for _, lane := range e.Lanes {
		b = binary.BigEndian.AppendUint64(b, lane)
	}
	if e.Wait > 0 {
		b = binary.AppendUvarint(b, uint64(e.Wait.Microseconds()))
	}
	return b
}

func decodeEntry(seq uint64, v []byte) (Entry, error) {
	d := decoder{b: v}
	e := Entry{Seq: seq, Replay: d.byte()&flagReplay != 0}
	e.Attempts, e.Due, e.Committed, e.Bytes = d.int(), d.time(), d.time(), int64(d.upTo(math.MaxInt64))
	e.Lanes = make([]uint64, d.count(8))
	for i := range e.Lanes {
		if lane := d.take(8); lane != nil {
			e.Lanes[i] = binary.BigEndian.Uint64(lane)
		}
	}
	if len(d.b) > 0 {
		e.Wait = time.Duration(d.upTo(math.MaxInt64/1000)) * time.Microsecond
	}
	if d.err != nil {
		return Entry{}, damaged(fmt.Errorf("queue entry: %w", d.err))
	}
	return e, nil
}
