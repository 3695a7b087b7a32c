package deliver

import (
	"fmt"
	"time"

	"bluetap/internal/store"
)

// Health is how a webhook fares.
type Health string

// The healths of a webhook.
const (
	Healthy   Health = "HEALTHY"
	Unhealthy Health = "UNHEALTHY" // its endpoint fails; events wait, and one at a time probes it
	// Overflowed: its queue is full, and what is new does not come into it.
	Overflowed Health = "OVERFLOWED"
	Gone       Health = "GONE"     // its receiver answered 410; events are parked
	Disabled   Health = "DISABLED" // by configuration; what was pending is parked
)

// WebhookStatus is a webhook's state at one moment.
type WebhookStatus struct {
	ID        string
	Health    Health
	Pending   uint64      // events not delivered yet
	Dead      uint64      // dead letters
	Bytes     uint64      // of both
	Gaps      []store.Gap // what its queue did not take while it was full, the oldest first
	Delivered uint64
	// OldestPending is when the oldest pending event was committed; zero if none is pending.
	OldestPending time.Time
	// LastError is why the last failed attempt of this run failed; "" if none did.
	LastError string
	// PausedUntil is until when the receiver asked to be left alone; zero if it did not, or the time is past.
	PausedUntil time.Time
}

// Peek takes up what the store knows of each webhook's health, writes nothing, and makes Status tell it of a Deliverer
// that does not run yet. It must not be called beside Run.
func (d *Deliverer) Peek() error {
	for _, q := range d.queues {
		if _, err := q.peek(); err != nil {
			return fmt.Errorf("read status of %s: %w", q.hook.ID, err)
		}
	}
	return nil
}

// Status returns the state of every webhook, in the order in which New was given them. Without Run or Peek before, all
// are taken for well.
func (d *Deliverer) Status() ([]WebhookStatus, error) {
	out := make([]WebhookStatus, len(d.queues))
	for i, q := range d.queues {
		stats, err := d.st.Stats(q.hook.Number)
		if err != nil {
			return nil, fmt.Errorf("read status of %s: %w", q.hook.ID, err)
		}
		s, reason := q.health.get()
		out[i] = WebhookStatus{
			ID: q.hook.ID, Health: q.hook.health(s, d.st.Overflowed(q.hook.Number)), LastError: reason,
			Pending: stats.Pending, Dead: stats.Dead, Bytes: stats.Bytes + stats.DeadBytes, Delivered: stats.Delivered,
			OldestPending: stats.Oldest, Gaps: d.st.Gaps(q.hook.Number),
		}
		if s.pause(q.steady()) > 0 {
			out[i].PausedUntil = s.Until
		}
	}
	return out, nil
}

func (w *Webhook) health(s state, overflowed bool) Health {
	switch {
	case !w.Enabled:
		return Disabled
	case s.Gone:
		return Gone
	case overflowed:
		return Overflowed
	case s.Unwell:
		return Unhealthy
	}
	return Healthy
}
