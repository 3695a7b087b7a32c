package store

import (
	"encoding/binary"
	"fmt"
	"iter"
	"maps"
	"slices"
)

// WebhookNumber returns the number of a webhook id. An id that was never seen gets the next one, from 1 on, which is
// on disk when WebhookNumber returns. Numbers are never used again.
func (s *Store) WebhookNumber(id string) (uint32, error) {
	var n uint32
	known := false
	err := s.update(func(b *batch) error {
		s.queueMu.Lock()
		defer s.queueMu.Unlock()
		if n, known = s.numbers[id]; known {
			return nil
		}
		for _, other := range s.numbers {
			n = max(n, other)
		}
		n++
		b.set(numberKey(id), binary.BigEndian.AppendUint32(nil, n))
		return nil
	}, func() {
		s.queueMu.Lock()
		defer s.queueMu.Unlock()
		s.numbers[id] = n
	})
	if err == nil && !known {
		err = s.syncAll()
	}
	if err != nil {
		return 0, fmt.Errorf("number webhook: %w", err)
	}
	return n, nil
}

// WebhookNumbers returns the numbers of all webhook ids that ever had one.
func (s *Store) WebhookNumbers() map[string]uint32 {
	s.queueMu.Lock()
	defer s.queueMu.Unlock()
	return maps.Clone(s.numbers)
}

// WebhookState returns the opaque record of a webhook, nil if there is none.
func (s *Store) WebhookState(w uint32) ([]byte, error) {
	v, err := s.get(key32(spaceWebhook, w))
	if err != nil {
		return nil, fmt.Errorf("read webhook state: %w", err)
	}
	return v, nil
}

// SaveWebhookState replaces the opaque record of a webhook. It does not wait for the disk.
func (s *Store) SaveWebhookState(w uint32, state []byte) error {
	err := s.update(func(b *batch) error {
		b.set(key32(spaceWebhook, w), state)
		return nil
	}, nil)
	if err != nil {
		return fmt.Errorf("save webhook state: %w", err)
	}
	return nil
}

// loadQueues reads the numbers, counts and gaps of all webhooks, counting their queues.
func (s *Store) loadQueues() error {
	for r, err := range s.scan([]byte{spaceNumber}, after([]byte{spaceNumber})) {
		if err != nil {
			return err
		}
		if len(r.value) != 4 {
			return damaged(fmt.Errorf("number of a webhook: %w", errShort))
		}
		s.numbers[string(r.key[1:])] = binary.BigEndian.Uint32(r.value)
	}
	for r, err := range s.scan([]byte{spaceCounts}, after([]byte{spaceCounts})) {
		if err != nil {
			return err
		}
		d := decoder{b: r.value}
		n := numberOf(r.key)
		q := s.queue(n)
		q.counts.Delivered, q.counts.Dead = d.uint(), d.uint()
		if d.err == nil && len(d.b) == 0 { // written before the bytes of the dead were counted
			q.counts.DeadBytes, d.err = s.deadBytes(n)
		} else {
			q.counts.DeadBytes = d.uint()
		}
		if d.err != nil {
			return damaged(d.err)
		}
	}
	if err := s.loadGaps(); err != nil {
		return err
	}
	return s.countPending()
}

// deadBytes adds up the events of a webhook's dead letters.
func (s *Store) deadBytes(w uint32) (uint64, error) {
	var bytes uint64
	for o, err := range s.Log(w, 0) {
		if err != nil {
			return 0, err
		}
		if o.Delivery.Status != StatusDead {
			continue
		}
		event, err := s.get(eventKey(o.Seq))
		if err != nil {
			return 0, err
		}
		bytes += uint64(len(event))
	}
	return bytes, nil
}

func (s *Store) countPending() error {
	bound := s.visible.Load()
	for r, err := range s.scan([]byte{spaceQueue}, after([]byte{spaceQueue})) {
		if err != nil {
			return err
		}
		seq := seqOf(r.key)
		if seq >= bound {
			continue
		}
		e, err := decodeEntry(seq, r.value)
		if err != nil {
			return damaged(err)
		}
		q := s.queue(numberOf(r.key))
		if q.counts.Pending == 0 {
			q.floor = seq
		}
		q.grow(tally{entries: 1, bytes: uint64(e.Bytes)})
	}
	return nil
}

// knownQueues yields the numbers of the webhooks of which anything is kept in memory.
func (s *Store) knownQueues() iter.Seq[uint32] {
	s.queueMu.Lock()
	defer s.queueMu.Unlock()
	return slices.Values(slices.Collect(maps.Keys(s.queues)))
}
