package deliver

import (
	"encoding/json"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"bluetap/internal/racetest"
	"bluetap/internal/store"
)

// TestRestart: attempts, order, ids and bodies go on where the last run, and the last process, stopped.
func TestRestart(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var well atomic.Bool
	r := newReceiver(t, func(arrival) int {
		if well.Load() {
			return http.StatusOK
		}
		return http.StatusBadRequest
	})
	w := f.hook("w", r.URL, func(w *Webhook) {
		w.Schedule = []time.Duration{time.Millisecond, 3 * time.Second, time.Millisecond}
	})
	for n := range 3 {
		f.add(event{n: n, lanes: []uint64{1}, hooks: []uint32{w.Number}})
	}
	stop := f.run(w)
	r.waitFor(t, 2)
	stop()
	if err := f.st.Close(); err != nil {
		t.Fatal(err)
	}
	well.Store(true)
	before := len(r.arrivals())
	f.open()
	f.run(w)
	until(t, "all delivered", func() bool { return f.status("w").Delivered == 3 })
	got := r.arrivals()
	if got[before].n != 0 || got[before].attempt != before+1 {
		t.Errorf("got event %d, attempt %d after the restart, want 0, %d", got[before].n, got[before].attempt, before+1)
	}
	if got[before].id != got[0].id || got[before].body != got[0].body {
		t.Errorf("got %s %s, want %s %s", got[before].id, got[before].body, got[0].id, got[0].body)
	}
	checkOrder(t, got, [][]uint64{{1}, {1}, {1}})
}

// TestBacklogStaysOnDiskAtStart: a Deliverer that starts on a long queue takes no more memory, be it for a moment, than
// for the bodies that are under way. Not parallel: it counts what the process allocates.
func TestBacklogStaysOnDiskAtStart(t *testing.T) {
	if racetest.Enabled {
		t.Skip("under the race detector Pebble takes from the heap what it takes from the system otherwise")
	}
	const backlog, batch, size, concurrency = 8000, 200, 16 << 10, 8
	arrived := make(chan struct{}, backlog)
	hanging := serve(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		hang(w, r)
	})
	f := newFixture(t)
	w := f.hook("w", hanging.URL, func(w *Webhook) { w.Concurrency, w.Timeout = concurrency, patience })
	for n := 0; n < backlog; n += batch {
		events := make([]event, batch)
		for i := range events {
			events[i] = event{n: n + i, lanes: []uint64{uint64(n + i)}, hooks: []uint32{w.Number}, size: size}
		}
		f.add(events...)
	}
	if err := f.st.Close(); err != nil {
		t.Fatal(err)
	}
	before := allocated() // opening the state takes 13 MiB, or without cgo 46, however much is in it
	f.open()
	stop := f.runWith(Options{Drain: time.Millisecond}, w)
	for range concurrency {
		select {
		case <-arrived:
		case <-time.After(patience):
			t.Fatal("waited in vain for requests")
		}
	}
	took := allocated() - before
	t.Logf("%d KiB were allocated for a backlog of %d KiB", took>>10, backlog*size>>10)
	if took > backlog*size/2 {
		t.Errorf("%d bytes were allocated for a backlog of %d", took, backlog*size)
	}
	stop()
}

// allocated is how many bytes the process has allocated since it began, whether it still holds them or not.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestDrain: what is under way is finished, and what outlasts the drain stays pending without an attempt counted.
func TestDrain(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		drain time.Duration
		want  uint64
	}{"finishes": {patience, 0}, "cuts off": {time.Millisecond, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			arrived, release := make(chan struct{}, 9), make(chan struct{})
			r := newReceiver(t, func(arrival) int { arrived <- struct{}{}; <-release; return http.StatusOK })
			w := f.hook("w", r.URL, nil)
			for n := range 2 {
				f.add(event{n: n, lanes: []uint64{1}, hooks: []uint32{w.Number}})
			}
			stop := f.runWith(Options{Drain: tc.drain}, w)
			<-arrived
			f.cancel()
			if tc.want == 1 {
				stop()
			}
			close(release)
			stop()
			if s := f.status("w"); s.Pending != tc.want+1 || s.Dead != 0 {
				t.Errorf("got %+v, want %d pending", s, tc.want+1)
			}
			entries, err := f.st.Pending(w.Number, 0, 1)
			if err != nil || entries[0].Attempts != 0 {
				t.Errorf("got %+v, %v, want no attempt counted", entries, err)
			}
		})
	}
}

// TestClockJump: due times that were written before the clock was set back hold nothing up, be they an event's or its
// receiver's, and be it by years or by less than the longest wait there can be.
func TestClockJump(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{3 * time.Minute, time.Hour, 365 * 24 * time.Hour} {
		f := newFixture(t)
		r := newReceiver(t, nil)
		w := f.hook("w", r.URL, nil)
		for n := range 2 {
			f.add(event{n: n, lanes: []uint64{1}, hooks: []uint32{w.Number}})
		}
		e, err := f.st.Pending(w.Number, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(jump)
		e[0].Wait = time.Minute
		e[0].Due = then.Add(e[0].Wait)
		if err := f.st.Retry(w.Number, e[0]); err != nil {
			t.Fatal(err)
		}
		paused, err := json.Marshal(state{Until: then.Add(time.Minute), Wait: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.st.SaveWebhookState(w.Number, paused); err != nil {
			t.Fatal(err)
		}
		f.run(w)
		until(t, "both delivered", func() bool { return f.status("w").Delivered == 2 })
	}
}

func TestSlots(t *testing.T) {
	t.Parallel()
	s := newSlots(4)
	woken := map[string]int{}
	greedy := s.join(func() { woken["greedy"]++ })
	modest := s.join(func() { woken["modest"]++ })
	held := 0
	for s.acquire(greedy) {
		held++
	}
	if held != 3 {
		t.Fatalf("one webhook holds %d of 4 beside another that holds none, want 3", held)
	}
	if !s.acquire(modest) {
		t.Fatal("the other gets none")
	}
	if s.acquire(modest) {
		t.Fatal("more than there are")
	}
	s.release(greedy)
	if woken["greedy"] != 1 || woken["modest"] != 0 || !s.acquire(greedy) {
		t.Errorf("woken %v, want who waited first", woken)
	}
	s.release(greedy)
	if woken["modest"] != 1 {
		t.Errorf("woken %v, want the second in turn", woken)
	}
	s.leave(modest) // does not use what it was granted
	if s.free != 1 {
		t.Errorf("%d free, want 1", s.free)
	}
}

// TestPauseEndsBetweenLaunchAndSleep: a pause that ran out just after launch had looked must not cost a sleep.
func TestPauseEndsBetweenLaunchAndSleep(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	now := time.Now()
	w := f.hook("w", "http://127.0.0.1", nil)
	q := newQueue(w, f.st, newSlots(1), local(), minBytes, Options{Now: func() time.Time { return now }}.withDefaults())
	q.claims.due = time.Time{} // as after the first poll
	q.claims.hold(store.Entry{Seq: 1, Lanes: []uint64{1}})
	for _, tc := range []struct{ pause, want time.Duration }{{time.Second, time.Second}, {0, 0}, {-1, 0}} {
		q.state.Until, q.state.Wait = now.Add(tc.pause), tc.pause
		if got := q.sleep(); got != tc.want {
			t.Errorf("with a pause of %v left: got %v, want %v", tc.pause, got, tc.want)
		}
	}
}
