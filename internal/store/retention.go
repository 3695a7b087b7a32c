package store

import (
	"sync/atomic"
	"time"
)

// How the sweep is spread: so many events or bytes of them a turn, since what was applied waits for it with its fsync,
// the next turn soon while there is more to do, and one look at all that was kept an hour.
const (
	sweepEvents = 1000
	sweepBytes  = 8 << 20
	sweepEvery  = time.Minute
	sweepSoon   = 100 * time.Millisecond
	sweepAgain  = time.Hour
)

// sweeper is where retention stands. Only Run uses it, but for hurry and what mu guards.
type sweeper struct {
	dead  map[uint32]time.Duration // by webhook: how long its dead letters are kept
	floor uint64                   // no event is below
	next  uint64                   // the event to look at next
	kept  bool                     // some below next was old enough, but pending or dead
	began time.Time                // when next was last set back to floor

	hurry atomic.Bool // room is wanted: look again at what was kept

	letters map[uint32]*letters // of the webhooks that keep dead letters for less time than retention
}

// turn counts what one turn has looked at.
type turn struct{ records, bytes int }

// look counts a record, unless the turn has been long enough: then it is to be looked at in the next.
func (t *turn) look(bytes int) bool {
	if t.records == sweepEvents || t.bytes >= sweepBytes {
		return false
	}
	t.records++
	t.bytes += bytes
	return true
}

// KeepDead sets how long the dead letters of a webhook are kept, from their death. It must be called before Run.
func (s *Store) KeepDead(webhook uint32, d time.Duration) {
	if s.sweeper.dead == nil {
		s.sweeper.dead = map[uint32]time.Duration{}
	}
	s.sweeper.dead[webhook] = d
}

// nextSweep is the pause after a sweep. A retention of minutes would be no such thing with a look a minute.
func (s *Store) nextSweep(more bool) time.Duration {
	if more {
		return sweepSoon
	}
	return min(sweepEvery, max(s.opts.Retention/4, time.Second))
}

// sweep looks at some of the events that are older than retention and drops those that no webhook has pending or
// dead, with their log records. It tells whether there is more to look at.
func (s *Store) sweep() (more bool, err error) {
	w, now := &s.sweeper, s.opts.Now()
	if w.kept && (s.sweeper.hurry.Swap(false) || now.Sub(w.began) >= sweepAgain) {
		w.next, w.kept = w.floor, false
	}
	if w.next == w.floor {
		w.began = now
	}
	if err := s.sweepGaps(now); err != nil {
		return false, err
	}
	left, err := s.sweepLetters(now)
	if err != nil {
		return false, err
	}
	b := s.newBatch()
	defer s.release(b)
	buried := map[uint32]tally{}
	if more, err = s.sweepSome(b, buried, now); err != nil {
		return false, err
	}
	return more || left, s.commit(b, func(b *batch) error {
		for n, dead := range buried {
			b.setCounts(n, s.queue(n).bury(dead))
		}
		return nil
	}, nil)
}

// sweepSome fills b with what is to go, and buried with the dead letters among it. An event that may go once may go
// for good, so that it needs not be one step with the commit.
func (s *Store) sweepSome(b *batch, buried map[uint32]tally, now time.Time) (more bool, err error) {
	looked, bound := turn{}, s.visible.Load()
	for r, err := range s.scan(eventKey(s.sweeper.next), eventKey(bound)) {
		if err != nil {
			return false, err
		}
		s.reclaimer.swept.Store(seqOf(r.key))
		if !looked.look(len(r.value)) {
			return true, nil
		}
		ev, webhooks, err := decodeEvent(r.value)
		if err != nil {
			return false, err
		}
		if now.Sub(ev.Committed) < s.opts.Retention {
			return false, nil
		}
		if err := s.sweepEvent(b, buried, r, webhooks, now); err != nil {
			return false, err
		}
	}
	s.reclaimer.swept.Store(bound)
	return false, nil
}

// sweepEvent drops one event if it may go.
func (s *Store) sweepEvent(
	b *batch, buried map[uint32]tally, event record, webhooks []uint32, now time.Time,
) error {
	w, seq := &s.sweeper, seqOf(event.key)
	w.next = seq + 1
	for _, n := range webhooks {
		keep, err := s.keeps(n, seq, now)
		if err != nil {
			return err
		}
		if keep {
			w.kept = true
			return nil
		}
	}
	for _, n := range webhooks {
		dead, err := s.dropOutcome(b, n, seq)
		if err != nil {
			return err
		}
		if dead {
			tallyUp(buried, []uint32{n}, len(event.value))
		}
	}
	b.remove(eventKey(seq))
	s.reclaimer.dropped.Store(true)
	if !w.kept {
		w.floor = w.next
	}
	return nil
}

// keeps tells whether an event that is past retention must stay for a webhook.
func (s *Store) keeps(n uint32, seq uint64, now time.Time) (bool, error) {
	pending, err := s.has(key64(spaceQueue, n, seq))
	if err != nil || pending {
		return pending, err
	}
	d, ok, err := s.outcome(n, seq)
	return ok && d.Status == StatusDead && now.Sub(d.At) < s.deadRetention(n), err
}

func (s *Store) deadRetention(webhook uint32) time.Duration {
	if d, ok := s.sweeper.dead[webhook]; ok {
		return d
	}
	return s.opts.DeadRetention
}

// dropOutcome drops a log record, if there is one, and tells whether it was a dead letter.
func (s *Store) dropOutcome(b *batch, n uint32, seq uint64) (dead bool, err error) {
	d, ok, err := s.outcome(n, seq)
	if err != nil || !ok {
		return false, err
	}
	b.remove(key64(spaceOutcome, n, seq))
	b.remove(key64(spaceResponse, n, seq))
	return d.Status == StatusDead, nil
}

// bury counts dead letters that are dropped.
func (q *queue) bury(dead tally) Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.counts.Dead -= dead.entries
	q.counts.DeadBytes -= dead.bytes
	return q.counts
}
