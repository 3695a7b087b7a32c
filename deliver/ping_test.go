package deliver

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// TestPing holds that a health check is signed and sent as an event is, of a disabled webhook too.
func TestPing(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	f := newFixture(t)
	w := f.hook("w", r.URL, func(w *Webhook) {
		w.Enabled, w.Secrets, w.Headers = false, []string{"a", "b"}, map[string]string{"Authorization": "x"}
	})
	p := SendPing(t.Context(), w, Options{AllowedNetworks: prefixes("127.0.0.0/8")})
	if !p.Delivered() || p.Result.FirstByte.IsZero() {
		t.Fatalf("%+v", p.Result)
	}
	got := r.waitFor(t, 1)[0]
	const start = `{"event":"WEBHOOK_HEALTH_CHECK","webhook":{"id":"w",`
	if got.body != string(p.Body) || !strings.HasPrefix(got.body, start) || strings.Contains(got.body, "Value") {
		t.Errorf("body %s", got.body)
	}
	if !strings.HasPrefix(got.id, "ping_") || got.attempt != 1 || got.header.Get("Bluetap-Event") != HealthCheck ||
		got.header.Get("Authorization") != "x" {
		t.Errorf("headers %v", got.header)
	}
	for name := range p.Header {
		if got.header.Get(name) != p.Header[name][0] {
			t.Errorf("%s came as %q, was shown as %q", name, got.header.Get(name), p.Header[name][0])
		}
	}
	for _, secret := range w.Secrets {
		verifier, err := standardwebhooks.NewWebhookRaw([]byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		if err := verifier.Verify([]byte(got.body), got.header); err != nil {
			t.Errorf("secret %s: %v", secret, err)
		}
	}
	if again := SendPing(t.Context(), w, Options{}); !errors.Is(again.Result.Err, ErrAddress) || again.Delivered() {
		t.Errorf("to an address that is not allowed: %+v", again.Result)
	}
}

// TestCheckBeforeQueue holds that a webhook that was disabled is asked before it gets anything, and what its answer
// comes to. What it answers to the check, it answers to the first probe as well.
func TestCheckBeforeQueue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer int
		health Health
	}{
		{"well", http.StatusNoContent, Healthy},
		{"ill", http.StatusInternalServerError, Unhealthy},
		{"refused", http.StatusForbidden, Unhealthy},
		{"gone", http.StatusGone, Gone},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			var well atomic.Bool
			r := newReceiver(t, func(arrival) int {
				if well.Load() {
					return http.StatusOK
				}
				return c.answer
			})
			w := f.hook("w", r.URL, func(w *Webhook) { w.Enabled = false })
			f.add(event{n: 1, lanes: []uint64{1}, hooks: []uint32{w.Number}})
			f.run(w)()
			if n := len(r.arrivals()); n != 0 {
				t.Fatalf("%d requests to a disabled webhook", n)
			}
			w.Enabled = true
			stop := f.run(w)
			first := r.waitFor(t, 1)[0]
			if !strings.HasPrefix(first.id, "ping_") {
				t.Errorf("the first request is %s", first.id)
			}
			until(t, string(c.health), func() bool { return f.status("w").Health == c.health })
			well.Store(true)
			if c.health == Gone {
				if gone, err := f.d.Revive(t.Context(), "w"); !gone || err != nil {
					t.Errorf("revived: %t, %v", gone, err)
				}
			}
			until(t, "the event delivered", func() bool { return f.status("w").Delivered == 1 })
			stop()
			f.add(event{n: 2, lanes: []uint64{1}, hooks: []uint32{w.Number}})
			f.run(w)
			until(t, "the next event delivered", func() bool { return f.status("w").Delivered == 2 })
			for _, a := range r.arrivals()[1:] {
				if strings.HasPrefix(a.id, "ping_") {
					t.Errorf("checked again: %s", a.id)
				}
			}
		})
	}
}

// TestCheckCutOff holds that a stop does not wait for a check, and that a check that was cut off is made again.
func TestCheckCutOff(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	arrived := make(chan struct{}, 1)
	hanging := serve(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		hang(w, r)
	})
	w := f.hook("w", hanging.URL, func(w *Webhook) { w.Enabled = false; w.Timeout = patience })
	f.run(w)()
	w.Enabled = true
	for range 2 {
		stop := f.run(w)
		select {
		case <-arrived:
		case <-time.After(patience):
			t.Fatal("no health check came")
		}
		stop()
	}
}

func TestRevive(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var well atomic.Bool
	r := newReceiver(t, func(arrival) int {
		if well.Load() {
			return http.StatusOK
		}
		return http.StatusGone
	})
	w := f.hook("w", r.URL, nil)
	off := f.hook("off", r.URL, func(w *Webhook) { w.Enabled = false })
	stop := f.run(w, off)
	for id, want := range map[string]error{"off": ErrDisabled, "nobody": ErrUnknownWebhook} {
		if _, err := f.d.Revive(t.Context(), id); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", id, err, want)
		}
	}
	if gone, err := f.d.Revive(t.Context(), "w"); gone || err != nil {
		t.Errorf("a webhook that is well: %t, %v", gone, err)
	}
	f.add(event{n: 1, lanes: []uint64{1}, hooks: []uint32{w.Number}})
	until(t, "GONE", func() bool { return f.status("w").Health == Gone })
	stop()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.d.Revive(ended, "w"); !errors.Is(err, context.Canceled) {
		t.Errorf("of a stopped Deliverer: %v", err)
	}

	well.Store(true)
	if gone, err := New(f.st, []Webhook{w}, Options{}).ReviveStopped("w"); !gone || err != nil {
		t.Errorf("stopped: %t, %v", gone, err)
	}
	f.run(w)
	until(t, "delivered", func() bool { return f.status("w").Delivered == 1 })
}

// TestCheckHeedsRetryAfter holds that what a receiver asks for in its answer to the check is kept, as that to an event.
func TestCheckHeedsRetryAfter(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	w := f.hook("w", r.URL, func(w *Webhook) { w.Enabled = false })
	f.run(w)()
	w.Enabled = true
	stop := f.run(w)
	until(t, "the pause", func() bool { return !f.status("w").PausedUntil.IsZero() })
	stop()
	f.run(w)
	until(t, "the pause after a restart", func() bool {
		s := f.status("w")
		return s.Health == Unhealthy && !s.PausedUntil.IsZero()
	})
}
