package deliver

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// state is what a queue must remember of its endpoint over a restart.
type state struct {
	Unwell bool      `json:"unwell,omitempty"`
	Gone   bool      `json:"gone,omitempty"`
	URL    string    `json:"url,omitempty"`  // a hash of the URL that all this is about, which may hold a token
	Until  time.Time `json:"until,omitzero"` // the receiver wants to be left alone

	// Wait is how far ahead Until lay when it was set.
	Wait time.Duration `json:"wait,omitempty"`

	// Disabled says that the webhook was disabled when last loaded: before its queue goes on comes a health check.
	Disabled bool `json:"disabled,omitempty"`

	// Limited says that a lane was marked at some time, so that successes have to look whether theirs is.
	Limited bool `json:"limited,omitempty"`
}

// pause is how long the receiver wants to be left alone.
func (s *state) pause(now time.Time) time.Duration {
	if !waits(s.Until, s.Wait, now) {
		return 0
	}
	return s.Until.Sub(now)
}

// load takes up what was known before a restart, and keeps what has come to be otherwise.
func (q *queue) load() error {
	changed, err := q.peek()
	if err != nil || !changed {
		return err
	}
	return q.save()
}

// peek is load without writing. With another URL it is another endpoint, of which nothing is known; GONE ends also when
// the webhook was disabled, which is remembered. Both are changes.
func (q *queue) peek() (changed bool, err error) {
	b, err := q.st.WebhookState(q.hook.Number)
	if err != nil {
		return false, fmt.Errorf("load webhook state: %w", err)
	}
	q.state = state{} // a second look must not keep what the first has read
	if len(b) > 0 {
		if err := json.Unmarshal(b, &q.state); err != nil {
			return false, fmt.Errorf("load webhook state: %w", err)
		}
	}
	q.limited.Store(q.state.Limited)
	moved := q.state.URL != "" && q.state.URL != q.urlHash()
	if newlyDisabled := !q.hook.Enabled && !q.state.Disabled; moved || newlyDisabled {
		q.state, changed = state{Limited: q.state.Limited, Disabled: !q.hook.Enabled || q.state.Disabled}, true
	}
	if q.state.Unwell {
		q.breaker.trip(q.steady())
		q.breaker.next = q.steady()
	}
	q.health.set(q.state)
	return changed, nil
}

func (q *queue) save() error {
	q.state.URL = q.urlHash()
	q.health.set(q.state)
	b, err := json.Marshal(q.state)
	if err != nil {
		return fmt.Errorf("save webhook state: %w", err)
	}
	if err := q.st.SaveWebhookState(q.hook.Number, b); err != nil {
		return fmt.Errorf("save webhook state: %w", err)
	}
	return nil
}

func (q *queue) urlHash() string {
	sum := sha256.Sum256([]byte(q.hook.URL.String()))
	return hex.EncodeToString(sum[:])
}

func (q *queue) setUnwell(unwell bool) error {
	q.state.Unwell = unwell
	if unwell {
		q.log.Warn("webhook unhealthy", "reason", q.health.lastError())
	} else {
		q.log.Info("webhook healthy again")
	}
	return q.save()
}

func (q *queue) setGone() error {
	if q.state.Gone {
		return nil
	}
	q.state = state{Gone: true, Limited: q.state.Limited}
	q.breaker = breaker{}
	q.log.Warn("webhook gone: its receiver answered 410; events are parked until its url changes, " +
		"it is disabled and enabled, or bluetap ping --enable succeeds")
	return q.save()
}

func (q *queue) pauseFor(wait time.Duration) error {
	now := q.steady()
	t := now.Add(wait)
	if !t.After(q.state.Until) && q.state.pause(now) > 0 {
		return nil
	}
	q.state.Until, q.state.Wait = t, wait
	q.log.Info("webhook paused by its receiver", "until", t.UTC().Truncate(time.Second))
	return q.save()
}

// burials keeps a stream of dead letters from becoming a stream of log lines.
type burials struct {
	logged time.Time
	silent int
}

func (q *queue) buried(now time.Time, reason string) {
	b := &q.burials
	b.silent++
	if now.Sub(b.logged) < time.Minute {
		return
	}
	q.log.Warn("events dead-lettered", "count", b.silent, "reason", reason)
	*b = burials{logged: now}
}

// health is what a queue shows to others. It is safe for concurrent use.
type health struct {
	mu     sync.Mutex
	state  state
	reason string
}

func (h *health) set(s state) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state = s
}

func (h *health) failed(reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reason = reason
}

func (h *health) lastError() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reason
}

func (h *health) get() (state, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state, h.reason
}
