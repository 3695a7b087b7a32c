package capture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Start is where a Stream begins: what the store knows.
type Start struct {
	// Position is the stored position: the End of the last Transaction that was stored, or the ConsistentPoint of the
	// snapshot. Everything that committed up to it is skipped.
	Position LSN
	// Received is the End of the last Transaction that was received and need not be sent again, although it is not yet
	// part of Position: the stream begins after it, and confirms nothing beyond Position until Confirm says so. It is
	// also what is compared with the point where another server took over. 0 means Position.
	Received LSN
	// Source is the database that the state belongs to. An empty SystemID means that any will do, a zero Timeline
	// any timeline.
	Source Identity
	// Tables must be in the publication.
	Tables []Table
	// Wanted tells, by column of a relation as the stream describes it, which values are to be handed out; the others
	// are dropped on arrival and come as Null. It is asked in Run's goroutine. nil means all.
	Wanted func(rel *Relation) []bool
	// Membership is what Membership returned when the state was begun: a table that was put into the publication anew
	// since is a GapError. nil means that it is not checked.
	Membership map[uint32]uint32
	// OnTimeline is told when the server goes on with another timeline that continues ours; an error from it
	// interrupts the connection. nil means that nobody wants to know.
	OnTimeline func(timeline uint32) error
}

// The pauses between two attempts to connect.
const (
	firstPause = 200 * time.Millisecond
	maxPause   = 10 * time.Second
)

// steadySession is how long a connection must have lasted to count as a good one though nothing came.
const steadySession = time.Minute

// errPaused is how a session ends when the queue stays full: a client that stops reading and keeps answering would
// keep Postgres from shutting down.
var errPaused = errors.New("received transactions wait too long to be taken")

// errHeld is how a session ends when Hold lasts.
var errHeld = errors.New("reading is held: disconnected until it may go on")

// Stream reads the log from a slot and hands out committed transactions, over as many connections as it takes.
//
// confirmed ≤ stored (fsynced) ≤ applied ≤ received: Next hands out what was received, Confirm takes what is
// stored, and nothing else is ever confirmed to Postgres.
type Stream struct {
	cfg   Config
	start Start
	types typeCache
	queue *queue
	state state

	// Owned by the goroutine in Run.
	known    map[uint32]*Relation // the last Relation of each table, over all connections
	streamed bool                 // a connection has streamed
	odd      map[byte]bool        // unknown kinds of message that were logged

	confirmed atomic.Uint64 // by Confirm
	urgent    atomic.Uint64 // the server waits for a confirmation up to here; 0 if it does not

	mu   sync.Mutex
	conn net.Conn // the open connection, or nil: only for moving its read deadline
	wake bool     // somebody moved the read deadline
}

// NewStream returns a Stream that Run starts. cfg is checked by Run.
func NewStream(cfg Config, start Start) *Stream {
	if start.Received < start.Position {
		start.Received = start.Position
	}
	full, err := cfg.withDefaults()
	if err == nil {
		cfg = full
	}
	s := &Stream{cfg: cfg, start: start, known: make(map[uint32]*Relation), odd: make(map[byte]bool),
		queue: newQueue(full.QueueBytes, full.MemoryBudget)}
	s.confirmed.Store(uint64(start.Position))
	s.state.received.Store(uint64(start.Received))
	s.state.told.Store(uint64(start.Position))
	return s
}

// Next returns the next committed transaction, or one that is Idle, waiting for it; the caller closes it. It returns
// ctx's cause, or, once Run has returned, an error that wraps ErrClosed and Run's own. It is for one goroutine.
func (s *Stream) Next(ctx context.Context) (*Transaction, error) { return s.queue.take(ctx) }

// Hold stops reading at the end of the transaction that is being received. If that lasts for more than 2 s the
// connection is closed. Next still returns what was received before. Any goroutine may call it, before Run too.
func (s *Stream) Hold() { s.queue.hold(true) }

// Release makes a Stream read again that is held.
func (s *Stream) Release() { s.queue.hold(false) }

// Nudge makes Next return, if it waits, an Idle Transaction that says nothing new. Any goroutine may call it.
func (s *Stream) Nudge() { s.queue.nudge() }

// Confirm says that everything up to lsn is stored and fsynced, and Postgres may forget it. lsn is the End of a
// Transaction; one that is lower than the last is ignored. Any goroutine may call it.
func (s *Stream) Confirm(lsn LSN) {
	for {
		old := s.confirmed.Load()
		if uint64(lsn) <= old {
			return
		}
		if s.confirmed.CompareAndSwap(old, uint64(lsn)) {
			break
		}
	}
	if s.urgent.Load() != 0 {
		s.interrupt()
	}
}

// interrupt makes a read that waits, or the next one, return at once.
func (s *Stream) interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return
	}
	s.wake = true
	// A connection that cannot take a deadline is broken, which its reader sees by itself.
	_ = s.conn.SetReadDeadline(time.Unix(1, 0))
}

// Run connects, receives and reconnects until ctx ends, and then returns ctx's cause. It returns earlier only with an
// error that retrying cannot mend: before the first connection has streamed that is every refusal that only a person
// can change (password, database, privilege, wal_level), at any time a GapError, a PublicationError and what wraps
// ErrWrongSource, and a transaction that cannot be put on disk. Everything else is retried for ever.
func (s *Stream) Run(ctx context.Context) (err error) {
	defer func() { err = s.queue.close(err) }()
	if _, err := s.cfg.withDefaults(); err != nil {
		return err
	}
	if err := removeSpills(s.cfg.SpillDir); err != nil {
		return err
	}
	pause := firstPause
	for {
		began, received := time.Now(), s.state.received.Load()
		err := s.session(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if permanent(err) || !s.streamed && !Retryable(err) {
			return explain(fmt.Errorf("stream: %w", err))
		}
		// That it streamed is not enough: a fault that comes back at one transaction would be retried as fast as it can.
		if s.state.received.Load() > received || time.Since(began) > steadySession {
			pause = firstPause
			s.state.settle()
		}
		if err := s.rest(ctx, err, pause); err != nil {
			return err
		}
		pause = min(2*pause, maxPause)
	}
}

// rest waits before the next connection: for room if that was missing, else for pause and a bit.
func (s *Stream) rest(ctx context.Context, cause error, pause time.Duration) error {
	if s.state.note(cause, time.Now()) {
		s.cfg.Log.Warn("replication interrupted", "slot", s.cfg.Slot, "err", cause)
	}
	timer := time.NewTimer(pause + rand.N(pause/4))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.queue.room:
		case <-timer.C:
			pause = 0
		}
		if pause == 0 && !s.queue.above(2) {
			return nil
		}
	}
}
