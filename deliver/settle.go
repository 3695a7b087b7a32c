package deliver

import (
	"time"

	"bluetap/internal/store"
)

// settle takes note of an attempt that is over.
func (q *queue) settle(o outcome) error {
	q.inFlight--
	q.bytes -= o.entry.Bytes
	q.full = false
	q.slots.release(q.member)
	if o.err != nil {
		return o.err
	}
	now := q.steady()
	switch o.fate {
	case kept:
		q.claims.keep(o.entry)
	case waiting:
		q.claims.park(o.entry)
	case finished:
		q.claims.drop(o.entry)
		if o.dead && poison(o.result.Code) {
			if err := q.mark(o.entry); err != nil {
				return err
			}
		}
		if err := q.claims.follow(o.entry, now); err != nil {
			return err
		}
	}
	if o.dead {
		q.buried(now, o.reason)
	}
	if !o.sent {
		return nil
	}
	return q.feel(o, now)
}

// mark limits those behind a dead letter that the receiver blamed, before one of them can go.
func (q *queue) mark(e store.Entry) error {
	if !q.state.Limited {
		q.state.Limited = true
		q.limited.Store(true)
		if err := q.save(); err != nil {
			return err
		}
	}
	for _, lane := range e.Lanes {
		if err := q.st.MarkLane(q.hook.Number, lane); err != nil {
			return err
		}
	}
	return nil
}

// feel draws from an attempt what it says of the endpoint.
func (q *queue) feel(o outcome, now time.Time) error {
	v := judge(o.result.Code)
	q.health.failed(o.result.Reason()) // none after a success
	if v.pauses && o.result.RetryAfter > 0 {
		if err := q.pauseFor(o.result.RetryAfter); err != nil {
			return err
		}
	}
	switch {
	case v.delivered:
		if q.breaker.succeed() {
			return q.setUnwell(false)
		}
		return nil
	case v.gone:
		return q.setGone()
	case o.probe:
		q.breaker.probed(now, record(o.entry), v.unwell)
		return nil
	case v.unwell:
		return q.suspect(o.entry, now)
	}
	q.breaker.interrupt()
	return nil
}

// suspect counts a failure of the endpoint's, and opens the breaker when there are enough.
func (q *queue) suspect(e store.Entry, now time.Time) error {
	if !q.breaker.fail(record(e)) {
		return nil
	}
	if !q.breaker.varied() {
		if all, err := q.allFail(); err != nil || !all {
			return err
		}
	}
	q.breaker.trip(now)
	return q.setUnwell(true)
}

// allFail reports whether every pending event is about a record that has failed. It looks at one batch: a queue whose
// first hundreds are about two records has to wait for those anyway.
func (q *queue) allFail() (bool, error) {
	entries, err := q.st.Pending(q.hook.Number, 0, scanBatch)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if _, failed := q.breaker.records[record(e)]; !failed {
			return false, nil
		}
	}
	return true, nil
}

// sweep buries, now and then, what has grown older than MaxAge without being sent, oldest first. It reports whether
// there may be more to bury at once.
func (q *queue) sweep(now time.Time) (more bool, err error) {
	if q.hook.MaxAge <= 0 || q.state.Gone || now.Sub(q.swept) < q.sweepEvery() || !q.claims.pending() {
		return false, nil
	}
	q.swept = now
	limit := sweepBatch + q.hook.Concurrency
	entries, err := q.st.Pending(q.hook.Number, 0, limit)
	if err != nil {
		return false, err
	}
	buried := 0
	for _, e := range entries {
		if !q.expired(e) {
			if e.Replay {
				continue
			}
			return false, nil
		}
		if !q.claims.take(e) {
			continue
		}
		if o := q.bury(outcome{entry: e}, reasonTooOld); o.err != nil {
			return false, o.err
		}
		buried++
		q.buried(now, reasonTooOld)
		if err := q.claims.follow(e, now); err != nil {
			return false, err
		}
	}
	if more = len(entries) == limit && buried > 0; more {
		q.swept = time.Time{}
	}
	return more, nil
}
