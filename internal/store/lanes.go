package store

import (
	"fmt"
	"sync"
)

// maxFloors bounds how many lanes have a floor in memory.
const maxFloors = 16384

// floors are sequence numbers below which nothing is left in a lane. They are hints: a lane without one is read from
// the first pending entry of its webhook on.
type floors struct {
	mu sync.Mutex // never held across a call into Pebble
	by map[laneID]uint64
}

type laneID struct {
	webhook uint32
	lane    uint64
}

func (f *floors) get(id laneID) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.by[id]
}

func (f *floors) raise(id laneID, seq uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.by) >= maxFloors {
		clear(f.by)
	}
	f.by[id] = max(f.by[id], seq)
}

// Heads tells whether no earlier entry of the webhook stands in any of e's lanes, so that e may be sent.
func (s *Store) Heads(w uint32, e Entry) (bool, error) {
	floor := s.queue(w).pendingFloor()
	for _, lane := range e.Lanes {
		id := laneID{w, lane}
		from := max(floor, s.floors.get(id))
		if from >= e.Seq {
			continue
		}
		// Up to and with e itself: it is the head if nothing before it is found.
		key, err := s.first(keySeq(spaceLane, w, lane, from), keySeq(spaceLane, w, lane, e.Seq))
		if err != nil {
			return false, fmt.Errorf("read lane: %w", err)
		}
		if key != nil {
			s.floors.raise(id, seqOf(key))
			return false, nil
		}
		s.floors.raise(id, e.Seq)
	}
	return true, nil
}

// Following returns the first entry in a lane after a sequence number; false if there is none.
func (s *Store) Following(w uint32, lane uint64, after uint64) (Entry, bool, error) {
	bound := s.visible.Load()
	if after+1 >= bound {
		return Entry{}, false, s.fault.get()
	}
	key, err := s.first(keySeq(spaceLane, w, lane, after+1), keySeq(spaceLane, w, lane, bound))
	if err != nil || key == nil {
		return Entry{}, false, wrapLane(err)
	}
	e, ok, err := s.entry(w, seqOf(key))
	return e, ok, wrapLane(err)
}

func wrapLane(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read lane: %w", err)
}

// MarkLane remembers that the head of a lane was dead-lettered on a 4xx; UnmarkLane forgets it.
func (s *Store) MarkLane(w uint32, lane uint64) error {
	return s.editLane(func(b *batch) { b.set(key64(spaceMark, w, lane), nil) })
}

// UnmarkLane undoes MarkLane. A lane that is not marked is no error.
func (s *Store) UnmarkLane(w uint32, lane uint64) error {
	return s.editLane(func(b *batch) { b.remove(key64(spaceMark, w, lane)) })
}

func (s *Store) editLane(edit func(*batch)) error {
	err := s.update(func(b *batch) error {
		edit(b)
		return nil
	}, nil)
	if err != nil {
		return fmt.Errorf("mark lane: %w", err)
	}
	return nil
}

// LaneMarked tells whether a lane is marked.
func (s *Store) LaneMarked(w uint32, lane uint64) (bool, error) {
	ok, err := s.has(key64(spaceMark, w, lane))
	return ok, wrapLane(err)
}
