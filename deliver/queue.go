package deliver

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"bluetap/internal/store"
)

const (
	sweepEvery = time.Minute
	sweepBatch = 64
)

// queue delivers one webhook's events. One goroutine, run, decides; each attempt has a goroutine of its own, which
// records in the store what became of it before run hears of it.
type queue struct {
	hook  Webhook
	st    *store.Store
	send  *sender
	slots *slots
	log   *slog.Logger
	now   func() time.Time

	// steady is now without its jumps: what waits, waits as long as it was to, whoever sets the machine's clock.
	steady func() time.Time

	wake     chan struct{} // holds at most one
	done     chan outcome  // as long as there may be attempts under way
	revivals chan revival
	workers  sync.WaitGroup
	member   *member
	limited  atomic.Bool // some lane is or was marked: attempts have to look

	// The rest belongs to run.
	claims   *claims
	breaker  breaker
	inFlight int
	bytes    int64     // of the events under way
	maxBytes int64     // that bytes may reach, unless a single event is larger
	full     bool      // bytes holds back the next event
	starved  bool      // waits for a slot
	swept    time.Time // when the queue was last searched for events past MaxAge

	state   state // as it is in the store
	burials burials

	health health // what others may ask
}

func newQueue(w Webhook, st *store.Store, s *slots, g *guard, maxBytes int64, o Options) *queue {
	w = w.withDefaults()
	q := &queue{
		hook: w, st: st, send: newSender(&w, g, o), slots: s, now: o.Now, steady: steady(o.Now),
		log: o.Log.With("webhook", w.ID), maxBytes: maxBytes,
		wake:     make(chan struct{}, 1),
		done:     make(chan outcome, w.Concurrency),
		revivals: make(chan revival),
		claims:   newClaims(st, w.Number, w.Concurrency),
	}
	if w.Enabled {
		q.member = s.join(q.signal)
	}
	return q
}

// signal wakes run. It never blocks.
func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// run delivers until ctx is cancelled, then waits for the attempts that are under way, which live under attempts. It
// returns the store's error, if that ended it.
func (q *queue) run(ctx, attempts context.Context) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("deliver to %s: %w", q.hook.ID, err)
		}
	}()
	defer q.send.close()
	defer q.workers.Wait()
	defer func() { q.slots.leave(q.member) }()
	if q.state.Disabled {
		if err := q.check(ctx); err != nil {
			return err
		}
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		more, err := q.step(ctx, attempts)
		if err != nil {
			return err
		}
		if more {
			continue
		}
		timer.Reset(q.sleep())
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-q.wake:
			q.claims.woken()
		case o := <-q.done:
			if err := q.settle(o); err != nil {
				return err
			}
		case r := <-q.revivals:
			if err := q.revive(r); err != nil {
				return err
			}
		}
	}
	return q.drain()
}

// step hears what is over, finds what can go, and starts it. It reports whether there is more to find at once.
func (q *queue) step(ctx, attempts context.Context) (more bool, err error) {
	if err := q.collect(); err != nil {
		return false, err
	}
	now := q.steady()
	swept, err := q.sweep(now)
	if err != nil {
		return false, err
	}
	if err := q.claims.pollDue(now); err != nil {
		return false, err
	}
	if more, err = q.claims.scan(now); err != nil {
		return false, err
	}
	if ctx.Err() == nil {
		q.launch(attempts, now)
	}
	return more || swept, nil
}

// collect hears everything that is over and does not wait for more.
func (q *queue) collect() error {
	for {
		select {
		case o := <-q.done:
			if err := q.settle(o); err != nil {
				return err
			}
		case <-q.wake:
			q.claims.woken()
		case r := <-q.revivals:
			if err := q.revive(r); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// drain waits for the attempts that are under way.
func (q *queue) drain() error {
	for q.inFlight > 0 {
		if err := q.settle(<-q.done); err != nil {
			return err
		}
	}
	return nil
}

// launch starts what may go now: all that is ready while the endpoint is well, one probe while it is not.
func (q *queue) launch(attempts context.Context, now time.Time) {
	held := true // back by something else than the want of a slot
	switch {
	case q.state.Gone, q.state.pause(now) > 0:
	case q.breaker.open:
		held = q.inFlight > 0 || now.Before(q.breaker.next)
		q.probe(attempts, now)
	default:
		held = false
		for len(q.claims.ready) > 0 && q.inFlight < q.hook.Concurrency && q.fits(q.claims.ready[0]) && q.acquire() {
			q.start(attempts, q.claims.pop(0), false)
		}
	}
	if q.starved && (held || len(q.claims.ready) == 0) {
		q.starved = false
		q.slots.leave(q.member)
	}
}

// fits tells whether e's body may be in memory beside those under way: one always may.
func (q *queue) fits(e store.Entry) bool {
	q.full = q.inFlight > 0 && q.bytes+e.Bytes > q.maxBytes
	return !q.full
}

func (q *queue) acquire() bool {
	ok := q.slots.acquire(q.member)
	q.starved = !ok
	return ok
}

// probe starts the oldest ready entry of another record than the last probe's.
func (q *queue) probe(attempts context.Context, now time.Time) {
	if q.inFlight > 0 || len(q.claims.ready) == 0 || now.Before(q.breaker.next) || !q.acquire() {
		return
	}
	best, other := 0, false
	for i, e := range q.claims.ready {
		differs := record(e) != q.breaker.last
		if differs && !other || differs == other && e.Seq < q.claims.ready[best].Seq {
			best, other = i, differs
		}
	}
	q.start(attempts, q.claims.pop(best), true)
}

func (q *queue) start(attempts context.Context, e store.Entry, probe bool) {
	q.inFlight++
	q.bytes += e.Bytes
	q.workers.Go(func() { q.done <- q.attempt(attempts, e, probe) })
}

// sleep is how long nothing is to be done unless something happens. While anything is pending no sleep is longer
// than sweepEvery.
func (q *queue) sleep() time.Duration {
	c := q.claims
	if !c.pending() {
		return time.Hour
	}
	now := q.steady()
	wait := q.sweepEvery()
	if due, ok := c.dueIn(now); ok {
		wait = min(wait, due)
	}
	if len(c.ready) == 0 || q.starved || q.state.Gone {
		return wait
	}
	switch pause := q.state.pause(now); {
	case pause > 0:
		return min(wait, pause)
	case q.breaker.open && q.inFlight == 0:
		return max(min(wait, q.breaker.next.Sub(now)), 0)
	case !q.breaker.open && q.inFlight < q.hook.Concurrency && !q.full:
		return 0 // what held launch back has ended since
	}
	return wait
}

func (q *queue) sweepEvery() time.Duration {
	if q.hook.MaxAge <= 0 {
		return sweepEvery
	}
	return min(sweepEvery, max(q.hook.MaxAge/4, 10*time.Millisecond))
}

// record names the record that an entry is about: its first lane.
func record(e store.Entry) uint64 {
	if len(e.Lanes) == 0 {
		return 0
	}
	return e.Lanes[0]
}
