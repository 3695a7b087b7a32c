package store

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Due returns up to limit entries of a webhook that have a due time at or before until, the first due first.
func (s *Store) Due(w uint32, until time.Time, limit int) ([]Entry, error) {
	var entries []Entry
	err := s.eachDue(w, until, func(_ time.Time, seq uint64) (bool, error) {
		e, ok, err := s.entry(w, seq)
		if ok {
			entries = append(entries, e)
		}
		return len(entries) < limit, err
	})
	return entries, err
}

// NextDue returns the earliest due time of a webhook's entries; false if none has one.
func (s *Store) NextDue(w uint32) (at time.Time, ok bool, err error) {
	err = s.eachDue(w, time.UnixMicro(1<<62), func(due time.Time, _ uint64) (bool, error) {
		at, ok = due, true
		return false, nil
	})
	return at, ok, err
}

// eachDue calls visit for the due times of a webhook up to until, ascending, while it returns true.
func (s *Store) eachDue(w uint32, until time.Time, visit func(due time.Time, seq uint64) (bool, error)) error {
	q := s.queue(w)
	floor, epoch := q.dueFloor()
	end := max(micros(until)+1, floor)
	found := end
	for r, err := range s.scan(key64(spaceDue, w, floor), key64(spaceDue, w, end)) {
		if err != nil {
			return fmt.Errorf("read due entries: %w", err)
		}
		due := binary.BigEndian.Uint64(r.key[5:])
		found = min(found, due)
		more, err := visit(timeOf(due), seqOf(r.key))
		if err != nil {
			return fmt.Errorf("read due entries: %w", err)
		}
		if !more {
			break
		}
	}
	q.raiseDue(found, epoch)
	return nil
}

func (q *queue) dueFloor() (floor, epoch uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.due, q.epoch
}

// raiseDue moves the floor up, unless a due time was set since the scan began: the scan may not have seen it.
func (q *queue) raiseDue(to, epoch uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.epoch == epoch {
		q.due = max(q.due, to)
	}
}

func (q *queue) lowerDue(to uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.epoch++
	q.due = min(q.due, to)
}
