//go:build unix

package soak

import (
	"slices"
	"strconv"
	"sync"
	"time"
)

// lives are the moments at which the daemon began to run or went on, or the test itself did after the machine had let
// it stand still: what was answered before them may be sent again.
type lives struct {
	mu sync.Mutex
	at []time.Time
}

func (l *lives) note() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = append(l.at, time.Now())
}

// within tells whether one of the moments lies between two others.
func (l *lives) within(from, to time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, _ := slices.BinarySearchFunc(l.at, from, time.Time.Compare)
	return i < len(l.at) && !l.at[i].After(to)
}

// pulse notes when the test stood still for so long that an answer may have come too late, until it is stopped.
func (l *lives) pulse() (stop func()) {
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		ticker := time.NewTicker(timeout / 50)
		defer ticker.Stop()
		for last := time.Now(); ; last = time.Now() {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			if time.Since(last) > timeout/4 {
				l.note()
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

// timeout is how long the daemon waits for an answer, as it is configured.
const timeout = time.Second

// repeated judges an attempt of an event that had been attempted before. It may come if the one before was not answered
// with 200 at once, or if the daemon was killed, stopped or started again since.
// One that a loaded machine made time out is answered at once as the receiver sees it. It cannot be told from a fault
// but by its number and by when such come, as all do that are under way then: the seconds are counted.
func (c *checker) repeated(s *stretch, h *hook, before, a *arrival) {
	if before.answer != answerNames[answers] || c.lives.within(before.at.Add(-timeout), a.at.Add(timeout)) {
		return
	}
	was, _ := strconv.Atoi(before.attempt)
	is, _ := strconv.Atoi(a.attempt)
	if is > was {
		c.totals.Unexplained++
		c.odd.last = a
		c.odd.seconds[a.at.Unix()] = true
		return
	}
	c.violate(a.lsn, s.recordsOf(a), "%s: %s %s, attempt %d, was sent again %s after attempt %d had been answered "+
		"with 200", h.id, a.event, a.id, is, a.at.Sub(before.at), was)
}

// odd are the repeats that nothing explains.
type odd struct {
	seconds, busy map[int64]bool // in which such came, and in which anything came
	last          *arrival       // that was not told of
}

// few wants the repeats that nothing explains to come in few moments.
func (c *checker) few() {
	a, most := c.odd.last, 3+len(c.odd.busy)/200
	if len(c.odd.seconds) <= most || a == nil {
		return
	}
	c.odd.last = nil
	c.violate(a.lsn, nil, "%d attempts came of events that had been answered with 200, and nothing explains them: in %d "+
		"seconds, of which %d may be of a loaded machine; the last is %s %s", c.totals.Unexplained, len(c.odd.seconds), most,
		a.event, a.id)
}
