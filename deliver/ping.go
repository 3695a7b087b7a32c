package deliver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// HealthCheck is the type of the one event that is about a webhook and not about a change. It is never queued.
const HealthCheck = "WEBHOOK_HEALTH_CHECK"

// Ping is a health check that was sent.
type Ping struct {
	Header http.Header // of the request, as bluetap set them; names as they go out
	Body   []byte
	Result Result
}

// Delivered tells whether the receiver answered with a 2xx.
func (p Ping) Delivered() bool { return judge(p.Result.Code).delivered }

// SendPing sends one health check to a webhook, enabled or not, exactly as its events are sent. It needs no Deliverer
// and no store.
func SendPing(ctx context.Context, w Webhook, o Options) Ping {
	w, o = w.withDefaults(), o.withDefaults()
	s := newSender(&w, newGuard(o.AllowedNetworks), o)
	defer s.close()
	return s.ping(ctx)
}

func (s *sender) ping(ctx context.Context) Ping {
	m := &message{id: "ping_" + strings.ToLower(rand.Text()), event: HealthCheck, committed: s.now(), attempt: 1,
		body: s.body(HealthCheck, nil)}
	result := s.send(ctx, m)
	return Ping{Header: result.header, Body: m.body, Result: result}
}

// check sends a health check before a webhook that was disabled gets its queue. On failure the webhook is unhealthy:
// its queue waits, and is probed. A check that a stop cuts off is made at the next start.
func (q *queue) check(ctx context.Context) error {
	result := q.send.ping(ctx).Result
	if ctx.Err() != nil {
		return nil //nolint:nilerr // a stop is no error of the queue's
	}
	q.state.Disabled = false
	switch v := judge(result.Code); {
	case v.delivered:
		q.log.Info("webhook enabled again")
		return q.save()
	case v.gone:
		return q.setGone()
	}
	q.health.failed(result.Reason())
	q.breaker.trip(q.steady())
	if judge(result.Code).pauses && result.RetryAfter > 0 {
		q.state.Until, q.state.Wait = q.steady().Add(result.RetryAfter), result.RetryAfter
	}
	return q.setUnwell(true)
}

// Why a webhook cannot be taken up again.
var (
	ErrUnknownWebhook = errors.New("no webhook of this id")
	ErrDisabled       = errors.New("the webhook is disabled in the configuration, which decides")
)

// revival asks a queue to forget that its receiver answered 410; it is answered with whether there was that to forget.
type revival struct{ done chan result }

type result struct {
	gone bool
	err  error
}

// Revive makes a webhook that is GONE go on with its queue, and reports whether it was. The Deliverer must run.
func (d *Deliverer) Revive(ctx context.Context, id string) (wasGone bool, err error) {
	q, err := d.queueOf(id)
	if err != nil {
		return false, err
	}
	r := revival{done: make(chan result, 1)}
	select {
	case q.revivals <- r:
	case <-ctx.Done():
		return false, fmt.Errorf("revive %s: %w", id, context.Cause(ctx))
	}
	select {
	case answer := <-r.done:
		return answer.gone, answer.err
	case <-ctx.Done():
		return false, fmt.Errorf("revive %s: %w", id, context.Cause(ctx))
	}
}

// ReviveStopped is Revive for a Deliverer that does not run and will not be run.
func (d *Deliverer) ReviveStopped(id string) (wasGone bool, err error) {
	q, err := d.queueOf(id)
	if err != nil {
		return false, err
	}
	if err := q.load(); err != nil {
		return false, err
	}
	return q.comeBack()
}

func (d *Deliverer) queueOf(id string) (*queue, error) {
	for _, q := range d.queues {
		switch {
		case q.hook.ID == id && !q.hook.Enabled:
			return nil, ErrDisabled
		case q.hook.ID == id:
			return q, nil
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrUnknownWebhook, id)
}

func (q *queue) revive(r revival) error {
	gone, err := q.comeBack()
	r.done <- result{gone, err}
	return err
}

func (q *queue) comeBack() (wasGone bool, err error) {
	if !q.state.Gone {
		return false, nil
	}
	q.state, q.breaker = state{Limited: q.state.Limited}, breaker{}
	q.health.failed("")
	q.claims.again()
	q.log.Info("webhook taken up again: a health check succeeded")
	return true, q.save()
}
