package deliver

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

func TestDelivers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := newReceiver(t, nil)
	w := f.hook("w", r.URL, nil)
	f.run(w)
	f.add(event{n: 1, lanes: []uint64{7}, hooks: []uint32{w.Number}})
	got := r.waitFor(t, 1)
	if got[0].id != "evt_1" || got[0].attempt != 1 {
		t.Errorf("got %+v", got[0])
	}
	until(t, "the count", func() bool { return f.status("w").Delivered == 1 })
	if s := f.status("w"); s.Pending != 0 || s.Dead != 0 || s.Health != Healthy || s.LastError != "" {
		t.Errorf("got %+v", s)
	}
}

// TestOrderUnderFailures: 1,000 events of 50 records, some in two of them, and a receiver that refuses one in five.
// Per record the first deliveries come in the order of the events, and each event only after those before it, and each
// is sent until it is accepted, and not again.
func TestOrderUnderFailures(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	const events, records = 1000, 50
	f := newFixture(t)
	var count atomic.Uint64
	var accepted [events]atomic.Int32
	r := newReceiver(t, func(a arrival) int {
		if rand.New(rand.NewPCG(seed, count.Add(1))).IntN(5) == 0 {
			return http.StatusBadRequest
		}
		accepted[a.n].Add(1)
		return http.StatusOK
	})
	w := f.hook("w", r.URL, func(w *Webhook) { w.Schedule = slices.Repeat([]time.Duration{time.Millisecond}, 50) })
	lanes := make([][]uint64, events)
	for i := range lanes {
		lanes[i] = []uint64{rng.Uint64N(records)}
		if other := rng.Uint64N(records); rng.IntN(4) == 0 && other != lanes[i][0] {
			lanes[i] = append(lanes[i], other)
		}
	}
	add := func(from, to int) {
		for i := from; i < to; i++ {
			f.add(event{n: i, lanes: lanes[i], hooks: []uint32{w.Number}})
		}
	}
	add(0, events/2)
	f.run(w)
	add(events/2, events)
	until(t, "all delivered", func() bool { return f.status("w").Delivered == events })
	checkOrder(t, r.arrivals(), lanes)
	for n := range accepted {
		if got := accepted[n].Load(); got != 1 {
			t.Errorf("event %d was accepted %d times", n, got)
		}
	}
}

// checkOrder holds for every lane: no event is tried before the one before it was tried for the last time.
func checkOrder(t *testing.T, got []arrival, lanes [][]uint64) {
	t.Helper()
	newest := map[uint64]int{}
	seen := map[int]int{}
	for _, a := range got {
		if a.attempt != seen[a.n]+1 {
			t.Errorf("event %d: attempt %d after %d", a.n, a.attempt, seen[a.n])
		}
		seen[a.n] = a.attempt
		for _, lane := range lanes[a.n] {
			if before, ok := newest[lane]; ok && before > a.n {
				t.Errorf("event %d tried after event %d of its lane %d", a.n, before, lane)
			}
			newest[lane] = a.n
		}
	}
	if len(seen) != len(lanes) {
		t.Errorf("%d events arrived, want %d", len(seen), len(lanes))
	}
}

// TestHotRecord: a long queue of one record goes one by one, and does not hold up what comes after it.
func TestHotRecord(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	release := make(chan struct{})
	r := newReceiver(t, func(a arrival) int {
		if a.n == 0 {
			<-release
		}
		return http.StatusOK
	})
	w := f.hook("w", r.URL, nil)
	const hot = 1000
	lanes := make([][]uint64, hot+1)
	events := make([]event, hot+1)
	for i := range events {
		lanes[i] = []uint64{1}
		if i == hot {
			lanes[i] = []uint64{2}
		}
		events[i] = event{n: i, lanes: lanes[i], hooks: []uint32{w.Number}}
	}
	f.add(events...)
	f.run(w)
	if got := r.waitFor(t, 1); got[0].n != hot {
		t.Errorf("event %d came first, want the other record's", got[0].n)
	}
	close(release)
	until(t, "all delivered", func() bool { return f.status("w").Delivered == hot+1 })
	checkOrder(t, r.arrivals(), lanes)
}

func TestDeadWebhookHurtsNoOther(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	hanging := serve(t, hang)
	r := newReceiver(t, nil)
	dead := f.hook("dead", hanging.URL, func(w *Webhook) { w.Timeout = 2 * patience })
	well := f.hook("well", r.URL, nil)
	for i := range 200 {
		f.add(event{n: i, lanes: []uint64{uint64(i)}, hooks: []uint32{dead.Number, well.Number}})
	}
	stop := f.runWith(Options{MaxInFlight: 4, Drain: time.Millisecond}, dead, well)
	until(t, "all delivered", func() bool { return f.status("well").Delivered == 200 })
	stop()
	if s := f.status("dead"); s.Pending != 200 || s.Dead != 0 {
		t.Errorf("got %+v, want all pending", s)
	}
}

func TestDeadLetterAndLimitedLane(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := newReceiver(t, func(a arrival) int {
		if a.n < 3 || a.n == 4 {
			return http.StatusUnprocessableEntity
		}
		return http.StatusOK
	})
	w := f.hook("w", r.URL, nil) // 5 attempts
	for n := range 5 {
		f.add(event{n: n, lanes: []uint64{1}, hooks: []uint32{w.Number}})
	}
	f.run(w)
	until(t, "the queue to end", func() bool { return f.status("w").Pending == 0 })
	var order []int
	for _, a := range r.arrivals() {
		order = append(order, a.n)
	}
	want := []int{0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 4, 4, 4, 4, 4}
	if !slices.Equal(order, want) {
		t.Errorf("got %v, want %v", order, want)
	}
	if s := f.status("w"); s.Dead != 4 || s.Delivered != 1 || s.LastError != "HTTP status 422" {
		t.Errorf("got %+v", s)
	}
}

func TestMaxAge(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := newReceiver(t, func(a arrival) int {
		if a.n == 1 {
			return http.StatusBadRequest
		}
		return http.StatusOK
	})
	w := f.hook("w", r.URL, func(w *Webhook) {
		w.MaxAge = 5 * time.Second
		w.Schedule = []time.Duration{time.Hour, time.Hour}
	})
	f.add(event{n: 0, lanes: []uint64{1}, hooks: []uint32{w.Number}, age: time.Hour},
		event{n: 1, lanes: []uint64{2}, hooks: []uint32{w.Number}},
		event{n: 2, lanes: []uint64{2}, hooks: []uint32{w.Number}, age: -time.Hour})
	f.run(w)
	until(t, "the queue to end", func() bool { return f.status("w").Pending == 0 })
	var order []int
	for _, a := range r.arrivals() {
		order = append(order, a.n)
	}
	if s := f.status("w"); s.Dead != 2 || s.Delivered != 1 || !slices.Equal(order, []int{1, 2}) {
		t.Errorf("got %v and %+v, want event 0 dead unsent, 1 dead while it waits, 2 delivered", order, s)
	}
}
