//go:build unix

package soak

import (
	"slices"
	"strconv"
	"sync"
	"time"
)

// lives are the moments at which the daemon began to run or went on, after which it may send again what was answered.
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

// timeout is how long the daemon waits for an answer, as it is configured.
const timeout = time.Second

// repeated judges an attempt of an event that had been attempted before. It may come if the one before was not answered
// with 200 at once, or if the daemon was killed, stopped or started again since.
// One that a loaded machine made time out is answered at once as the receiver sees it. It cannot be told from a fault
// but by its number and by how few there are: those are counted.
func (c *checker) repeated(s *stretch, h *hook, before, a *arrival) {
	if before.answer != answerNames[answers] || c.lives.within(before.at.Add(-timeout), a.at) {
		return
	}
	was, _ := strconv.Atoi(before.attempt)
	is, _ := strconv.Atoi(a.attempt)
	if is > was {
		c.totals.Unexplained++
		c.unexplained = a
		return
	}
	c.violate(a.lsn, s.recordsOf(a), "%s: %s %s, attempt %d, was sent again %s after attempt %d had been answered "+
		"with 200", h.id, a.event, a.id, is, a.at.Sub(before.at), was)
}

// few wants the repeats that nothing explains to be a handful.
func (c *checker) few() {
	if most := 5 + c.totals.Deliveries/5000; c.totals.Unexplained > most && c.unexplained != nil {
		a := c.unexplained
		c.violate(a.lsn, nil, "%d attempts came of events that had been answered with 200, and nothing explains them (%d "+
			"may be late answers): the last is %s %s", c.totals.Unexplained, most, a.event, a.id)
		c.unexplained = nil
	}
}
