package store

import "time"

// letters is where the look at the dead letters of one webhook stands that are kept for less time than retention: they
// go before their events, which the sweep does not come to yet. Only Run uses it.
type letters struct {
	next  uint64    // the outcome to look at next
	due   time.Time // when the first of those that were kept, or came since, is to go
	began time.Time // when the last look at all of them began
}

// sweepLetters looks at some of the dead letters that may go before their events, and drops those that are old. It
// tells whether there is more to look at.
func (s *Store) sweepLetters(now time.Time) (more bool, err error) {
	w := &s.sweeper
	for n := range s.knownQueues() {
		if s.deadRetention(n) >= s.opts.Retention || !s.queue(n).hasDead() {
			continue
		}
		l := w.letters[n]
		if l == nil {
			if w.letters == nil {
				w.letters = map[uint32]*letters{}
			}
			l = &letters{}
			w.letters[n] = l
		}
		if l.next == 0 {
			if now.Before(l.due) && time.Since(l.began) < sweepAgain {
				continue
			}
			l.began, l.due = time.Now(), now.Add(s.deadRetention(n))
		}
		again, err := s.dropLetters(l, n, now)
		if err != nil {
			return false, err
		}
		more = more || again
	}
	return more, nil
}

// dropLetters is one turn for one webhook. It is one step with the commit, so that a letter is not replayed in between.
func (s *Store) dropLetters(l *letters, n uint32, now time.Time) (more bool, err error) {
	err = s.update(func(b *batch) error {
		looked, dead := turn{}, tally{}
		for r, err := range s.scan(key64(spaceOutcome, n, l.next), after(key32(spaceOutcome, n))) {
			if err != nil {
				return err
			}
			if more = !looked.look(len(r.value)); more {
				break
			}
			l.next = seqOf(r.key) + 1
			size, err := s.dropLetter(b, l, n, r, now)
			if err != nil {
				return err
			}
			if size > 0 {
				looked.bytes += size
				dead.entries++
				dead.bytes += uint64(size)
			}
		}
		if !more {
			l.next = 0
		}
		if dead.entries > 0 {
			b.setCounts(n, s.queue(n).bury(dead))
			s.reclaimer.dropped.Store(true)
		}
		return nil
	}, nil)
	return more, err
}

// dropLetter drops an outcome if it is a dead letter that is old, and returns the size of its event then: that stays,
// for the other webhooks and for replay.
func (s *Store) dropLetter(b *batch, l *letters, n uint32, outcome record, now time.Time) (size int, err error) {
	d, err := decodeDelivery(outcome.value)
	if err != nil || d.Status != StatusDead {
		return 0, err
	}
	if goes := d.At.Add(s.deadRetention(n)); goes.After(now) {
		if goes.Before(l.due) {
			l.due = goes
		}
		return 0, nil
	}
	seq := seqOf(outcome.key)
	event, err := s.get(eventKey(seq))
	if err != nil {
		return 0, err
	}
	b.remove(key64(spaceOutcome, n, seq))
	b.remove(key64(spaceResponse, n, seq))
	return len(event), nil
}

func (q *queue) hasDead() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.counts.Dead > 0
}
