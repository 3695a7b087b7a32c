// Package deliver sends the events of the store's queues to webhooks: signed, in order per record, with retries, one
// webhook independent of the others.
//
// A [Deliverer] has one goroutine per enabled webhook, which decides what goes next, and one per attempt. All state
// that matters is in the store, so a restart goes on where the last run stopped; memory does not grow with the
// queues. An attempt is one POST: deliver knows no other retry than the schedule's, but for a request that died on
// a connection that had been idle.
package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"bluetap/internal/store"
)

// Bodies under way are in memory. The webhooks share bytesInFlight, but each may have minBytes, or one event.
const (
	bytesInFlight = 64 << 20
	minBytes      = 1 << 20
)

// errDrained ends the attempts that outlast the drain.
var errDrained = errors.New("stopped while under way")

// Options are what all webhooks share. The zero value of each field means its default.
type Options struct {
	// MaxInFlight bounds the requests under way over all webhooks. Defaults to 1024.
	MaxInFlight int
	// AllowedNetworks may be reached although they are not public. Defaults to none.
	AllowedNetworks []netip.Prefix
	// Bare are the event types whose bodies have no webhook object. Defaults to none.
	Bare []string
	// Version is named in the User-Agent. Defaults to "dev".
	Version string
	// Drain is how long requests under way may take once Run's context is cancelled. Defaults to 10 s.
	Drain time.Duration
	// Log gets changes of health and dead letters. Nil discards them.
	Log *slog.Logger
	// Now is the clock: of signatures, due times and ages. Nil is time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.MaxInFlight < 1 {
		o.MaxInFlight = 1024
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Drain <= 0 {
		o.Drain = 10 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Deliverer delivers what the store has queued for a fixed set of webhooks. Its methods are safe for concurrent use;
// Run may be called once.
type Deliverer struct {
	st       *store.Store
	drain    time.Duration
	queues   []*queue
	byNumber map[uint32]*queue
}

// New makes a Deliverer for webhooks whose Numbers are distinct. It reads nothing and starts nothing.
func New(st *store.Store, webhooks []Webhook, o Options) *Deliverer {
	o = o.withDefaults()
	d := &Deliverer{st: st, drain: o.Drain, byNumber: make(map[uint32]*queue, len(webhooks))}
	s, g := newSlots(o.MaxInFlight), newGuard(o.AllowedNetworks)
	share := max(minBytes, bytesInFlight/int64(max(1, len(webhooks))))
	for _, w := range webhooks {
		q := newQueue(w, st, s, g, share, o)
		d.queues = append(d.queues, q)
		d.byNumber[w.Number] = q
	}
	return d
}

// Wake tells that the store has new entries for these webhooks, by number; unknown numbers are ignored. It never
// blocks and may be called before, during and after Run: it is what [store.Store.OnQueued] calls.
func (d *Deliverer) Wake(webhooks []uint32) {
	for _, n := range webhooks {
		if q, ok := d.byNumber[n]; ok {
			q.signal()
		}
	}
}

// Run delivers until ctx is cancelled. Then no attempt starts any more; those under way are given Options.Drain and
// are cut off after that, which leaves their events pending. It returns nil after a stop, else the store's error.
func (d *Deliverer) Run(ctx context.Context) error {
	for _, q := range d.queues {
		if err := q.load(); err != nil {
			return fmt.Errorf("deliver to %s: %w", q.hook.ID, err)
		}
	}
	attempts, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		<-ctx.Done() // there may be no enabled webhook
		return nil
	})
	for _, q := range d.queues {
		if q.hook.Enabled {
			g.Go(func() error { return q.run(ctx, attempts) })
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- g.Wait() }()
	<-ctx.Done()
	timer := time.NewTimer(d.drain)
	defer timer.Stop()
	select {
	case err := <-ended:
		return err
	case <-timer.C:
		cut(errDrained)
		return <-ended
	}
}
