package capture

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// transactionOverhead is what an entry of the queue costs beside its changes.
const transactionOverhead = 256

// queue holds what was received and not yet taken, in the order of the log. One goroutine puts, one takes.
type queue struct {
	limit, spillCost int64

	mu     sync.Mutex
	items  []*Transaction
	bytes  int64
	held   bool  // nothing more is to be read
	closed error // why, or nil

	filled chan struct{} // of one: there is something to take, or the queue was closed
	room   chan struct{} // of one: something was taken
}

func newQueue(limit, spillCost int64) *queue {
	return &queue{limit: limit, spillCost: spillCost, filled: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// cost is what t counts: one on disk as much as one can in memory, so that the disk is bounded as well.
func (q *queue) cost(t *Transaction) int64 {
	if t.changes.spilled != nil {
		return transactionOverhead + q.spillCost
	}
	return transactionOverhead + t.changes.memory
}

// put appends t, or lets an idle t replace an idle one that nobody took yet.
func (q *queue) put(t *Transaction) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if last := len(q.items) - 1; t.Idle && last >= 0 && q.items[last].Idle {
		q.items[last] = t
		return
	}
	q.items = append(q.items, t)
	q.bytes += q.cost(t)
	signal(q.filled)
}

// take returns the oldest transaction as soon as there is one, or why there will be none.
func (q *queue) take(ctx context.Context) (*Transaction, error) {
	for {
		t, err := q.pop()
		if err != nil {
			signal(q.filled)
			return nil, err
		}
		if t != nil {
			signal(q.room)
			return t, nil
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-q.filled:
		}
	}
}

func (q *queue) pop() (*Transaction, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return nil, q.closed
	}
	t := q.items[0]
	q.items[0] = nil
	q.items = q.items[1:]
	q.bytes -= q.cost(t)
	if len(q.items) > 0 {
		signal(q.filled)
	}
	return t, nil
}

// above reports whether the queue holds more than limit divided by part, or nothing more is to be read.
func (q *queue) above(part int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held || q.bytes > q.limit/part
}

func (q *queue) hold(held bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held = held
	signal(q.room)
}

func (q *queue) isHeld() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held
}

// nudge makes take return if it waits. What it returns says nothing: it ends where everything does already.
func (q *queue) nudge() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 && q.closed == nil {
		t := &Transaction{Idle: true}
		q.items, q.bytes = append(q.items, t), q.bytes+q.cost(t)
	}
	signal(q.filled)
}

// spilled returns the bytes of what waits on disk.
func (q *queue) spilled() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	var n int64
	for _, t := range q.items {
		if t.changes.spilled != nil {
			n += t.changes.spilled.size
		}
	}
	return n
}

// close drops what nobody took, and take fails from now on. It returns err and what went wrong beside it.
func (q *queue) close(err error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range q.items {
		err = errors.Join(err, t.Close())
	}
	q.items, q.bytes, q.closed = nil, 0, ErrClosed
	if err != nil {
		q.closed = fmt.Errorf("%w: %w", ErrClosed, err)
	}
	signal(q.filled)
	return err
}

// signal leaves a token in a channel of one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
