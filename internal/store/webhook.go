package store

import (
	"encoding/binary"
	"fmt"
	"maps"
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

// loadQueues reads the numbers and counts of all webhooks, counting their queues.
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
		q := s.queue(binary.BigEndian.Uint32(r.key[1:]))
		q.counts.Delivered, q.counts.Dead = d.uint(), d.uint()
		if d.err != nil {
			return damaged(d.err)
		}
	}
	return s.countPending()
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
		q := s.queue(binary.BigEndian.Uint32(r.key[1:]))
		if q.counts.Pending == 0 {
			q.floor = seq
		}
		q.grow(tally{entries: 1, bytes: uint64(e.Bytes)})
	}
	return nil
}
