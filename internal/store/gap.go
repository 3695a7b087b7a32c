package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Gap says which events a webhook whose queue was full did not get. It is written in the same batch as the rest of the
// transaction that they belong to: what is kept of an event is its entry in the queue or its count in the gap, never
// both and never neither. The transactions that a crash takes back are decided anew: an event of theirs that was
// delivered from memory may then be counted here too, and a note that had been made of a gap may be followed by
// another, with another id, that covers part of the same.
type Gap struct {
	From   uint64            `json:"from"` // ends of the first and the last commit that events are missing of
	To     uint64            `json:"to"`
	Since  time.Time         `json:"since"` // and their commit times
	Until  time.Time         `json:"until"`
	Count  uint64            `json:"count"`
	Events map[string]uint64 `json:"events"`         // by type
	Ended  time.Time         `json:"ended,omitzero"` // when there was room again; zero while the webhook is OVERFLOWED
}

// maxGaps is how many gaps of one webhook are kept apart. Older ones are added up.
const maxGaps = 16

// add counts what other counts, which is later.
func (g *Gap) add(other Gap) {
	if g.Count == 0 {
		*g = other
		g.Events = maps.Clone(other.Events)
		return
	}
	g.To, g.Until, g.Ended = other.To, other.Until, other.Ended
	g.Count += other.Count
	g.Events = maps.Clone(g.Events)
	for event, n := range other.Events {
		g.Events[event] += n
	}
}

// Gaps returns the gaps of a webhook that are kept, the oldest first. Only the last one may be without an end.
func (s *Store) Gaps(w uint32) []Gap {
	q := s.queue(w)
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.gaps)
}

// openGap returns the gap that has no end yet, or nil. The caller holds mu.
func (q *queue) openGap() *Gap {
	if n := len(q.gaps); n > 0 && q.gaps[n-1].Ended.IsZero() {
		return &q.gaps[n-1]
	}
	return nil
}

// Overflowed tells whether a webhook has a gap without an end: what it would get now it does not.
func (s *Store) Overflowed(w uint32) bool {
	q := s.queue(w)
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.openGap() != nil
}

// GapEnds tells whether EndGap would end the gap of a webhook.
func (s *Store) GapEnds(w uint32) bool {
	_, ok := s.queue(w).endable()
	return ok
}

// overflows tells whether the next event goes to the gap: the queue is full, or was and has not come to have room.
func (q *queue) overflows(more uint64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.limit.Bytes > 0 && !q.limit.Keep && (q.openGap() != nil || q.full(more))
}

// admit returns the webhooks that an event is queued for, and counts it for those whose queue is full. What is decided
// depends on what has been delivered so far. So the same transaction may be decided otherwise after a crash, but
// decision and count are never kept one without the other.
func (t *Tx) admit(ev Event, webhooks []uint32) []uint32 {
	full := 0
	for _, w := range webhooks {
		if t.gaps[w] != nil || t.store.queue(w).overflows(t.queued[w].bytes) {
			t.miss(w, ev)
			full++
		}
	}
	if full == 0 {
		return webhooks
	}
	admitted := make([]uint32, 0, len(webhooks)-full)
	for _, w := range webhooks {
		if t.gaps[w] == nil {
			admitted = append(admitted, w)
		}
	}
	return admitted
}

// miss counts an event that is not queued for a webhook.
func (t *Tx) miss(w uint32, ev Event) {
	g := t.gaps[w]
	if g == nil {
		if t.gaps == nil {
			t.gaps = map[uint32]*Gap{}
		}
		g = &Gap{From: t.end, To: t.end, Since: ev.Committed, Until: ev.Committed, Events: map[string]uint64{}}
		t.gaps[w] = g
	}
	g.Count++
	g.Events[ev.Type]++
}

// setGaps writes the gaps as they are with the transaction's, and returns them for showGaps.
func (t *Tx) setGaps() map[uint32]Gap {
	whole := make(map[uint32]Gap, len(t.gaps))
	for w, more := range t.gaps {
		q := t.store.queue(w)
		q.mu.Lock()
		var g Gap
		if open := q.openGap(); open != nil {
			g = *open
		}
		q.mu.Unlock()
		g.add(*more)
		t.batch.setGap(w, g)
		whole[w] = g
	}
	return whole
}

func (s *Store) showGaps(gaps map[uint32]Gap) {
	for w, g := range gaps {
		q := s.queue(w)
		q.mu.Lock()
		if open := q.openGap(); open != nil {
			*open = g
		} else {
			q.gaps = append(q.gaps, g)
		}
		q.mu.Unlock()
	}
}

func (b *batch) setGap(w uint32, g Gap) {
	v, err := json.Marshal(g)
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("encode gap: %w", err)
	}
	b.set(key64(spaceGap, w, g.From), v)
}

// Note is the event that tells a webhook of a gap, and its lane.
type Note struct {
	Event Event
	Lane  uint64
}

// EndGap ends the gap of a webhook whose queue has room again, and queues the event that note makes of it in the same
// batch; a nil note makes none. It returns false if there is nothing to end, or a staged transaction to be resumed
// first. Only the goroutine that applies transactions may call it, between two of them.
func (s *Store) EndGap(w uint32, note func(Gap) Note) (Gap, bool, error) {
	g, ok := s.queue(w).endable()
	if !ok || s.staged.Load() {
		return Gap{}, false, s.fault.get()
	}
	g.Ended = s.opts.Now().UTC()
	b := s.newBatch()
	defer s.release(b)
	show := func() {}
	queued := map[uint32]tally{}
	if note != nil {
		n := note(g)
		seq := s.visible.Load()
		value := b.addEvent(seq, n.Event, []uint64{n.Lane}, []uint32{w})
		tallyUp(queued, []uint32{w}, len(value))
		b.set(metaKey(metaPosition), position(s.applied.Load(), seq+1))
		show = func() {
			s.events.put(seq, value)
			s.queue(w).grow(queued[w])
			s.visible.Store(seq + 1)
		}
	}
	var kept []Gap
	err := s.commit(b, func(b *batch) error {
		kept = b.endGap(w, s.Gaps(w), g)
		return nil
	}, func() {
		s.queue(w).setGaps(kept)
		show()
	})
	if err != nil {
		return Gap{}, false, fmt.Errorf("end gap: %w", err)
	}
	s.announce(queued)
	return g, true, nil
}

// endable returns the gap without an end, if it is to have one.
func (q *queue) endable() (Gap, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	g := q.openGap()
	if g == nil || q.limit.Bytes == 0 || !q.limit.Keep && !q.room() {
		return Gap{}, false
	}
	return *g, true
}

// endGap replaces the last of the gaps, and adds up the two oldest where there are too many.
func (b *batch) endGap(w uint32, gaps []Gap, last Gap) []Gap {
	gaps[len(gaps)-1] = last
	b.setGap(w, last)
	if len(gaps) <= maxGaps {
		return gaps
	}
	b.remove(key64(spaceGap, w, gaps[1].From))
	gaps[0].add(gaps[1])
	b.setGap(w, gaps[0])
	return slices.Delete(gaps, 1, 2)
}

func (q *queue) setGaps(gaps []Gap) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.gaps = gaps
}

// sweepGaps drops the gaps that ended as long ago as dead letters are kept.
func (s *Store) sweepGaps(now time.Time) error {
	left := map[uint32][]Gap{}
	return s.update(func(b *batch) error {
		for w := range s.knownQueues() {
			gaps := s.Gaps(w)
			kept := slices.DeleteFunc(slices.Clone(gaps), func(g Gap) bool {
				old := !g.Ended.IsZero() && now.Sub(g.Ended) >= s.deadRetention(w)
				if old {
					b.remove(key64(spaceGap, w, g.From))
				}
				return old
			})
			if len(kept) < len(gaps) {
				left[w] = kept
			}
		}
		return nil
	}, func() {
		for w, gaps := range left {
			s.queue(w).setGaps(gaps)
		}
	})
}

func (s *Store) loadGaps() error {
	for r, err := range s.scan([]byte{spaceGap}, after([]byte{spaceGap})) {
		if err != nil {
			return err
		}
		var g Gap
		if err := json.Unmarshal(r.value, &g); err != nil {
			return damaged(fmt.Errorf("decode gap: %w", err))
		}
		if g.Events == nil {
			g.Events = map[string]uint64{}
		}
		q := s.queue(numberOf(r.key))
		q.gaps = append(q.gaps, g)
	}
	return nil
}
