package capture

import (
	"sync"
	"sync/atomic"
	"time"
)

// Status is how a Stream is doing, for people.
type Status struct {
	Connected bool
	Received  LSN // up to here everything was received and queued
	Confirmed LSN // up to here Postgres was told that it may forget
	// Queued is the bytes that wait for Next.
	Queued int64
	// Spilled is the bytes on disk of the transactions that wait for Next.
	Spilled int64
	// Reconnects counts the connections after the first that streamed.
	Reconnects int64
	// Unknown counts messages of kinds that this version does not know and skipped.
	Unknown int64
	// LastError is the last interruption and LastErrorAt its time; nil and zero if there was none. It stays after a
	// reconnect.
	LastError   error
	LastErrorAt time.Time
}

// state is what Status is made of.
type state struct {
	connected  atomic.Bool
	received   atomic.Uint64
	told       atomic.Uint64
	reconnects atomic.Int64
	unknown    atomic.Int64

	mu      sync.Mutex
	last    error
	lastAt  time.Time
	logged  time.Time
	lastKey string
	broken  bool // a fault was logged, and nothing good since
}

// Status may be called at any time by any goroutine.
func (s *Stream) Status() Status {
	s.state.mu.Lock()
	last, at := s.state.last, s.state.lastAt
	s.state.mu.Unlock()
	s.queue.mu.Lock()
	queued := s.queue.bytes
	s.queue.mu.Unlock()
	return Status{
		Connected:   s.state.connected.Load(),
		Received:    LSN(s.state.received.Load()),
		Confirmed:   LSN(s.state.told.Load()),
		Queued:      queued,
		Spilled:     s.queue.spilled(),
		Reconnects:  s.state.reconnects.Load(),
		Unknown:     s.state.unknown.Load(),
		LastError:   last,
		LastErrorAt: at,
	}
}

// logEvery is how often a fault that lasts is logged again.
const logEvery = time.Minute

// note remembers err and reports whether it is time to log it: it is another one than before, or a minute old.
func (s *state) note(err error, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := sqlState(err)
	due := s.last == nil || key != s.lastKey || now.Sub(s.logged) >= logEvery
	s.last, s.lastAt, s.lastKey = err, now, key
	if due {
		s.logged, s.broken = now, true
	}
	return due
}

// mended reports whether it is time to log that it streams again: a fault was logged since it last was.
func (s *state) mended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	due := s.broken
	s.broken = false
	return due
}

// settle makes the next fault be logged at once.
func (s *state) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logged = time.Time{}
}
