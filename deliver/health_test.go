package deliver

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestGone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var code atomic.Int32
	code.Store(http.StatusGone)
	r := newReceiver(t, func(arrival) int { return int(code.Load()) })
	w := f.hook("w", r.URL, func(w *Webhook) { w.Concurrency = 1 })
	f.add(event{n: 1, lanes: []uint64{1}, hooks: []uint32{w.Number}},
		event{n: 2, lanes: []uint64{2}, hooks: []uint32{w.Number}})
	stop := f.run(w)
	until(t, "GONE", func() bool { return f.status("w").Health == Gone })
	stop()
	code.Store(http.StatusOK)

	stop = f.run(w)
	until(t, "GONE again", func() bool { return f.status("w").Health == Gone })
	stop()
	if s := f.status("w"); s.Pending != 2 || len(r.arrivals()) != 1 {
		t.Fatalf("got %+v after %d requests, want both parked after one", s, len(r.arrivals()))
	}

	w.URL = parseURL(t, r.URL+"/new")
	f.run(w)
	until(t, "both delivered", func() bool { return f.status("w").Delivered == 2 })
	if s := f.status("w"); s.Health != Healthy {
		t.Errorf("got %+v", s)
	}
}

func TestGoneEndsByDisabling(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var calls atomic.Int32
	r := newReceiver(t, func(arrival) int {
		if calls.Add(1) == 1 {
			return http.StatusGone
		}
		return http.StatusOK
	})
	w := f.hook("w", r.URL, nil)
	f.add(event{n: 1, lanes: []uint64{1}, hooks: []uint32{w.Number}})
	stop := f.run(w)
	until(t, "GONE", func() bool { return f.status("w").Health == Gone })
	stop()
	w.Enabled = false
	stop = f.run(w)
	stop()
	if s := f.status("w"); s.Health != Disabled || s.Pending != 1 || calls.Load() != 1 {
		t.Fatalf("got %+v after %d requests", s, calls.Load())
	}
	w.Enabled = true
	f.run(w)
	until(t, "delivered", func() bool { return f.status("w").Delivered == 1 })
}

func TestRetryAfterPausesTheWebhook(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var calls atomic.Int32
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	w := f.hook("w", server.URL, func(w *Webhook) { w.Concurrency = 1 })
	start := time.Now()
	f.add(event{n: 1, lanes: []uint64{1}, hooks: []uint32{w.Number}},
		event{n: 2, lanes: []uint64{2}, hooks: []uint32{w.Number}})
	stop := f.run(w)
	until(t, "the pause", func() bool { return !f.status("w").PausedUntil.IsZero() })
	stop()
	f.run(w) // the pause outlives a restart
	until(t, "the next delivery", func() bool { return f.status("w").Delivered > 0 })
	if took := time.Since(start); took < time.Second {
		t.Errorf("delivered after %v, want the pause of 1 s kept", took)
	}
	until(t, "both delivered", func() bool { return f.status("w").Delivered == 2 })
}

// TestBreakerOpensAndDrains: an endpoint that fails gets no more than its row of failures and single probes, and the
// probes use up no attempts; once it is well, all is delivered in order.
func TestBreakerOpensAndDrains(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var well atomic.Bool
	r := newReceiver(t, func(arrival) int {
		if well.Load() {
			return http.StatusOK
		}
		return http.StatusBadGateway
	})
	w := f.hook("w", r.URL, func(w *Webhook) {
		w.Concurrency = 4
		w.Schedule = slices.Repeat([]time.Duration{100 * time.Millisecond}, 12)
	})
	lanes := make([][]uint64, 60)
	for i := range lanes {
		lanes[i] = []uint64{uint64(i % 6)}
		f.add(event{n: i, lanes: lanes[i], hooks: []uint32{w.Number}})
	}
	stop := f.run(w)
	until(t, "UNHEALTHY", func() bool { return f.status("w").Health == Unhealthy })
	opened := len(r.arrivals())
	if opened < 10 || opened > 14 {
		t.Errorf("opened after %d requests, want 10 and those under way", opened)
	}
	r.waitFor(t, opened+1)
	stop()
	if s := f.status("w"); s.Dead != 0 || s.Pending != 60 {
		t.Errorf("got %+v, want all pending", s)
	}
	if b, err := f.st.WebhookState(w.Number); err != nil || !strings.Contains(string(b), `"unwell":true`) {
		t.Errorf("got %s, %v, want UNHEALTHY kept", b, err)
	}
	well.Store(true)
	f.run(w)
	until(t, "all delivered", func() bool { return f.status("w").Delivered == 60 })
	if s := f.status("w"); s.Health != Healthy {
		t.Errorf("got %+v", s)
	}
	newest := map[uint64]int{}
	for _, a := range r.arrivals() {
		lane := lanes[a.n][0]
		if newest[lane] > a.n {
			t.Errorf("event %d after event %d of its record", a.n, newest[lane])
		}
		newest[lane] = a.n
	}
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	var b breaker
	for i := range 9 {
		if b.fail(uint64(i % 3)) {
			t.Fatalf("enough after %d failures", i+1)
		}
	}
	b.interrupt()
	for i := range 9 {
		if b.fail(uint64(i % 2)) {
			t.Fatalf("enough after %d failures since the last answer", i+1)
		}
	}
	if !b.fail(1) || b.varied() {
		t.Fatal("want 10 failures of 2 records to be enough, but not varied")
	}
	if !b.fail(2) || !b.varied() {
		t.Fatal("want 3 records to be varied")
	}
	b.trip(now)
	if b.fail(3) {
		t.Fatal("an open breaker opens")
	}
	var pauses []time.Duration
	for range 8 {
		pauses = append(pauses, b.next.Sub(now))
		now = b.next
		b.probed(now, 1, true)
	}
	want := []int{1, 2, 4, 8, 16, 32, 60, 60}
	for i := range want {
		if pauses[i] != time.Duration(want[i])*time.Second {
			t.Errorf("pause %d: got %v, want %v s", i, pauses[i], want[i])
		}
	}
	b.probed(now, 2, false)
	if got := b.next.Sub(now); got != time.Second || b.last != 2 {
		t.Errorf("after an answer: got %v and record %d", got, b.last)
	}
	if !b.succeed() || b.open || b.succeed() || b.varied() {
		t.Error("want one success to close it, and nothing remembered")
	}
}
