package deliver

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"bluetap/internal/store"
)

// fate says where an entry is after an attempt.
type fate uint8

const (
	finished fate = iota // out of the queue: delivered or dead
	waiting              // pending, with the attempt counted
	kept                 // pending, as if nothing had been tried
)

// limitedAttempts is what an event gets in a lane whose head was dead-lettered on a 4xx.
const limitedAttempts = 3

// jitter is the largest part of a pause that is added to it, so that what failed together does not return together.
const jitter = 0.2

// outcome is what run is told about an attempt.
type outcome struct {
	entry  store.Entry // as it is in the store now
	probe  bool
	sent   bool // an attempt was made and came to its end
	result Result
	fate   fate
	dead   bool
	reason string // why it is dead
	err    error  // the store's
}

// attempt sends an entry's event and records what became of it.
func (q *queue) attempt(ctx context.Context, e store.Entry, probe bool) outcome {
	o := outcome{entry: e, probe: probe}
	if q.expired(e) {
		return q.bury(o, reasonTooOld)
	}
	ev, err := q.st.Event(e.Seq)
	if errors.Is(err, store.ErrNotFound) {
		return q.bury(o, "event is no longer kept")
	}
	if err != nil {
		o.err = err
		return o
	}
	o.sent = true
	o.result = q.send.send(ctx, &message{
		id: ev.ID, event: ev.Type, committed: ev.Committed, attempt: e.Attempts + 1, replay: e.Replay,
		body: q.send.body(ev.Type, ev.Values),
	})
	return q.conclude(ctx, o)
}

const reasonTooOld = "older than maxAge"

// expired asks for the age since the commit; a replay is wanted whatever its age.
func (q *queue) expired(e store.Entry) bool {
	return q.hook.MaxAge > 0 && !e.Replay && q.now().Sub(e.Committed) > q.hook.MaxAge
}

// conclude writes down what an attempt came to.
func (q *queue) conclude(ctx context.Context, o outcome) outcome {
	v := judge(o.result.Code)
	switch {
	case v.delivered:
		return q.delivered(o)
	case o.result.Err != nil && ctx.Err() != nil: // we hung up, not the receiver
		o.sent, o.fate = false, kept
		return o
	case o.probe && v.unwell:
		o.fate = kept
		return o
	}
	o.entry.Attempts++
	if !v.gone {
		switch limit, err := q.limit(o.entry); {
		case err != nil:
			o.err = err
			return o
		case o.entry.Attempts >= limit:
			return q.bury(o, o.result.Reason())
		case q.expired(o.entry):
			return q.bury(o, reasonTooOld)
		}
		o.entry.Wait = q.pauseAfter(o.entry.Attempts, o.result.RetryAfter)
		o.entry.Due = q.steady().Add(o.entry.Wait)
	}
	o.fate = waiting
	o.err = q.st.Retry(q.hook.Number, o.entry)
	return o
}

func (q *queue) delivered(o outcome) outcome {
	o.entry.Attempts++
	if q.limited.Load() {
		if o.err = q.unmark(o.entry); o.err != nil {
			return o
		}
	}
	o.err = q.st.Finish(q.hook.Number, o.entry, q.delivery(o, store.StatusDelivered, ""))
	return o
}

func (q *queue) unmark(e store.Entry) error {
	for _, lane := range e.Lanes {
		marked, err := q.st.LaneMarked(q.hook.Number, lane)
		if err == nil && marked {
			err = q.st.UnmarkLane(q.hook.Number, lane)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bury makes a dead letter.
func (q *queue) bury(o outcome, reason string) outcome {
	o.fate, o.dead, o.reason = finished, true, reason
	o.err = q.st.Finish(q.hook.Number, o.entry, q.delivery(o, store.StatusDead, reason))
	return o
}

func (q *queue) delivery(o outcome, status, reason string) store.Delivery {
	return store.Delivery{
		Status: status, At: q.now(), Attempts: o.entry.Attempts, Code: o.result.Code, Reason: reason,
		Response: o.result.Body,
	}
}

// limit is how many attempts an entry has in all.
func (q *queue) limit(e store.Entry) (int, error) {
	limit := len(q.hook.Schedule) + 1
	if e.Attempts < limitedAttempts || limit <= limitedAttempts {
		return limit, nil
	}
	for _, lane := range e.Lanes {
		marked, err := q.st.LaneMarked(q.hook.Number, lane)
		if err != nil {
			return 0, err
		}
		if marked {
			return limitedAttempts, nil
		}
	}
	return limit, nil
}

// pauseAfter is the pause after the n-th failed attempt, n from 1: the schedule's with jitter, or longer if the
// receiver asks for it.
func (q *queue) pauseAfter(n int, retryAfter time.Duration) time.Duration {
	pause := q.hook.Schedule[min(n, len(q.hook.Schedule))-1]
	pause += time.Duration(float64(pause) * jitter * rand.Float64())
	return max(pause, retryAfter)
}
