package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"bluetap/capture"
	"bluetap/internal/config"
	"bluetap/internal/store"
	"bluetap/mapping"
)

// limitsEvery is how often it is looked at what is full, and what has room again.
const limitsEvery = time.Second

// growthPart is the part of state.maxSize that may be written before the size is looked at again.
const growthPart = 100

// limits stops reading while the state has grown to state.maxSize or, with whenFull: pause, a webhook's queue to
// maxQueue; the log then waits in Postgres. It also ends the gaps of queues that have overflowed.
type limits struct {
	store  *store.Store
	stream *capture.Stream
	beside func() uint64 // bytes on the state's disk of transactions that wait; reading does not stop within one
	max    config.Bytes
	hooks  map[uint32]limited
	pause  bool // for a queue that is full, instead of letting it overflow
	log    *slog.Logger

	ended atomic.Bool // some gap is to be ended
	seen  uint64      // Written of the store when the pipeline last looked at the size; the pipeline's

	mu       sync.Mutex
	size     bool          // the state is full
	queues   []uint32      // those that are full
	released chan struct{} // closed when reading goes on; nil while it does
	gaps     map[uint32]bool
}

// limited is a webhook whose queue is watched.
type limited struct {
	number uint32
	id     string
	max    config.Bytes
	told   bool // of a gap, by an event
}

func (d *daemon) newLimits(stream *capture.Stream) *limits {
	l := &limits{store: d.store, stream: stream, beside: func() uint64 { return uint64(stream.Status().Spilled) },
		max: d.Config.State.MaxSize, log: d.Log, gaps: map[uint32]bool{}, hooks: map[uint32]limited{},
		pause: d.Config.Delivery.WhenFull == config.WhenFullPause}
	numbers := d.store.WebhookNumbers()
	for _, w := range d.Config.Webhooks {
		if w.Enabled {
			n := numbers[w.ID]
			l.hooks[n] = limited{number: n, id: w.ID, max: w.MaxQueue, told: slices.Contains(w.Events, mapping.GapEvent)}
		}
	}
	return l
}

// run looks at everything again and again, until ctx ends.
func (l *limits) run(ctx context.Context) error {
	ticker := time.NewTicker(limitsEvery)
	defer ticker.Stop()
	for {
		if err := l.look(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

func (l *limits) look(ctx context.Context) error {
	if err := l.lookAtSize(ctx); err != nil {
		return err
	}
	ends := false
	for _, h := range l.hooks {
		l.lookAtQueue(h)
		ends = l.store.GapEnds(h.number) || ends
	}
	if ends {
		l.ended.Store(true)
		l.stream.Nudge()
	}
	return nil
}

// grew is called after each transaction: within the second until run looks again, fast ones could write a good part
// of a small state.
func (l *limits) grew() error {
	written := l.store.Written()
	if written-l.seen < uint64(l.max)/growthPart {
		return nil
	}
	l.seen = written
	return l.stopIfFull()
}

// lookAtSize compares all that lies in the state directory with state.maxSize.
func (l *limits) lookAtSize(ctx context.Context) error {
	l.mu.Lock()
	stopped := l.size
	l.mu.Unlock()
	if !stopped {
		return l.stopIfFull()
	}
	if err := l.store.Reclaim(ctx); err != nil {
		return err
	}
	room, err := l.store.Room(l.beside())
	if room && err == nil {
		l.log.Info("state is below 80 % of its size: reading goes on", "maxSize", l.max.String())
		l.change(func() { l.size = false })
	}
	return err
}

// stopIfFull stops reading if the state is at 90 %.
func (l *limits) stopIfFull() error {
	full, err := l.store.Full(l.beside())
	if !full || err != nil {
		return err
	}
	l.change(func() {
		if !l.size {
			l.size = true
			l.log.Warn("state is at 90 % of its size: reading stops until it is below 80 %; more room: raise "+
				"state.maxSize, or lower state.retention or delivery.deadLetterRetention", "maxSize", l.max.String(),
				"received", l.beside())
		}
	})
	return nil
}

func (l *limits) lookAtQueue(h limited) {
	l.mu.Lock()
	stopped := slices.Contains(l.queues, h.number)
	overflowed, was := l.store.Overflowed(h.number), l.gaps[h.number]
	l.gaps[h.number] = overflowed
	l.mu.Unlock()
	switch {
	case overflowed && !was:
		l.log.Warn("webhook overflowed: its queue is full, new events for it are not queued until it has room",
			l.filled(h)...)
	case stopped && l.store.QueueRoom(h.number):
		l.log.Info("webhook's queue has room again", "webhook", h.id)
		l.change(func() {
			l.queues = slices.DeleteFunc(l.queues, func(n uint32) bool { return n == h.number })
		})
	case !stopped:
		l.stopFor(h)
	}
}

// queued is told of webhooks that got new events, before the next transaction is taken.
func (l *limits) queued(webhooks []uint32) {
	for _, n := range webhooks {
		if h, ok := l.hooks[n]; ok {
			l.stopFor(h)
		}
	}
}

// stopFor stops reading if a queue is full that must not overflow.
func (l *limits) stopFor(h limited) {
	if !l.pause || !l.store.QueueFull(h.number) {
		return
	}
	l.change(func() {
		if slices.Contains(l.queues, h.number) {
			return
		}
		l.queues = append(l.queues, h.number)
		l.log.Warn("webhook's queue is full: reading stops, for all webhooks, until it has room", l.filled(h)...)
	})
}

// filled tells, for the log, what fills a queue. Where dead letters do, no receiver that is well again makes room.
func (l *limits) filled(h limited) []any {
	pending, dead := l.store.QueueBytes(h.number)
	next := "make its receiver answer (bluetap status shows its health), or raise its maxQueue"
	if dead > pending {
		next = "lower delivery.deadLetterRetention, after which dead letters go, or raise its maxQueue"
	}
	return []any{"webhook", h.id, "maxQueue", h.max.String(), "pendingBytes", pending, "deadBytes", dead, "next", next}
}

// change takes note of what has become full or has room again, and stops or resumes reading if that decides it.
func (l *limits) change(note func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	note()
	switch full := l.size || len(l.queues) > 0; {
	case full && l.released == nil:
		l.released = make(chan struct{})
		l.stream.Hold()
	case !full && l.released != nil:
		close(l.released)
		l.released = nil
		l.stream.Release()
	}
}

// pass waits while reading is stopped: what was received before waits, too. It does not where the state itself has
// room, and only what was received fills it: that lies on the same disk, and nobody else would take it from there.
func (l *limits) pass(ctx context.Context) error {
	for {
		released, err := l.stops()
		if released == nil || err != nil {
			return err
		}
		timer := time.NewTimer(limitsEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-released:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// stops returns what will be closed when reading goes on, or nil if the next transaction may be applied.
func (l *limits) stops() (<-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.released == nil || len(l.queues) > 0 {
		return l.released, nil
	}
	full, err := l.store.Full(0)
	if err != nil || !full {
		return nil, err
	}
	return l.released, nil
}

// paused says what is full, or "" while reading goes on.
func (l *limits) paused() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.size:
		return "the state came to 90 % of state.maxSize, " + l.max.String() + ", and is not yet below 80 %"
	case len(l.queues) > 0:
		h := l.hooks[l.queues[0]]
		return fmt.Sprintf("the queue of webhook %s came to its maxQueue, %s, and is not yet below 80 %%", h.id, h.max)
	}
	return ""
}

// endGaps ends the gaps of the queues that have room again, and queues what tells of it. Only the pipeline may call it.
func (l *limits) endGaps(epoch string) error {
	if !l.ended.Swap(false) {
		return nil
	}
	for _, h := range l.hooks {
		var note func(store.Gap) store.Note
		if h.told {
			note = func(g store.Gap) store.Note { return noteOf(h.id, epoch, g) }
		}
		g, ok, err := l.store.EndGap(h.number, note)
		if err != nil {
			return fmt.Errorf("end gap of webhook %s: %w", h.id, err)
		}
		if ok {
			l.log.Warn("webhook's queue has room again: events in between were not kept", "webhook", h.id,
				"count", g.Count, "from", g.Since, "to", g.Until)
		}
	}
	return nil
}

// noteOf makes the event that tells a webhook of its gap. Its age counts from the gap's end: the gap may be older than
// maxAge.
func noteOf(id, epoch string, g store.Gap) store.Note {
	told := mapping.Gap{Webhook: id, Reason: mapping.GapOverflowed, From: g.Since, To: g.Until, First: g.From,
		Last: g.To, Epoch: epoch}
	return store.Note{Lane: told.Lane(), Event: store.Event{ID: told.ID(), Type: mapping.GapEvent, Record: id,
		Committed: g.Ended, LSN: g.To, Values: told.AppendValues(nil)}}
}
