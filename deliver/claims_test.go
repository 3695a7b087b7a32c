package deliver

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"bluetap/internal/store"
)

// world is a queue's claims over a real store, with simulated attempts and a simulated clock, beside a model that
// knows what may go.
type world struct {
	*fixture
	rng  *rand.Rand
	hook uint32
	room int
	now  time.Time
	c    *claims

	pending map[uint64]store.Entry // what the store ought to hold
	flying  []flight
	events  int
}

// flight is an attempt: under way, or written down in the store and not heard of yet.
type flight struct {
	entry   store.Entry
	written bool
	fate    fate
}

// TestClaimsModel: whatever happens in whatever order, an entry goes only as the oldest of its lanes, when it is due,
// as it is in the store, not twice at once and not once it has ended; and in the end all have gone.
func TestClaimsModel(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	for i := range uint64(40) {
		w := &world{fixture: newFixture(t), rng: rand.New(rand.NewPCG(seed, i)), now: time.Now(),
			pending: map[uint64]store.Entry{}}
		w.hook = w.fixture.hook("w", "http://127.0.0.1", nil).Number
		w.room = []int{2, 4, 64}[w.rng.IntN(3)]
		w.restart()
		w.play(300)
		if t.Failed() {
			t.Fatalf("seed %d, world %d, room %d", seed, i, w.room)
		}
		if err := w.st.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) play(turns int) {
	for range turns {
		if w.t.Failed() {
			return
		}
		w.act()
	}
	for quiet := 0; len(w.pending)+len(w.flying) > 0 && quiet < 3 && !w.t.Failed(); quiet++ {
		before := len(w.pending)
		for range 4*before + 20 {
			w.launch(8)
			for len(w.flying) > 0 {
				w.write(len(w.flying)-1, finished)
				w.hear(len(w.flying) - 1)
			}
		}
		if len(w.pending) < before {
			quiet = 0
		}
		w.now = w.now.Add(time.Minute)
	}
	if len(w.pending) > 0 && !w.t.Failed() {
		w.t.Errorf("%d entries are stranded; cursor %d, parked %d, ready %d, held %d", len(w.pending), w.c.cursor,
			w.c.parked, len(w.c.ready), len(w.c.held))
	}
}

// act does one thing that can happen.
func (w *world) act() {
	switch n := w.rng.IntN(100); {
	case n < 15:
		w.append(1 + w.rng.IntN(40)*w.rng.IntN(2))
	case n < 45:
		w.launch(w.rng.IntN(6))
	case n < 65 && len(w.flying) > 0:
		w.write(w.rng.IntN(len(w.flying)), []fate{finished, finished, waiting, waiting, kept}[w.rng.IntN(5)])
	case n < 90 && len(w.flying) > 0:
		w.hear(w.rng.IntN(len(w.flying)))
	case n < 94:
		w.now = w.now.Add(time.Duration(w.rng.Int64N(int64(4 * time.Second))))
	case n < 97:
		w.bury(w.rng.IntN(4))
	case n == 97:
		w.restart()
	}
}

func (w *world) append(n int) {
	events := make([]event, n)
	for i := range events {
		events[i] = event{n: w.events, lanes: []uint64{w.rng.Uint64N(60)}, hooks: []uint32{w.hook}}
		if other := w.rng.Uint64N(60); w.rng.IntN(4) == 0 && other != events[i].lanes[0] {
			events[i].lanes = append(events[i].lanes, other)
		}
		w.events++
		w.pending[uint64(w.events)] = store.Entry{Seq: uint64(w.events), Lanes: events[i].lanes}
	}
	w.add(events...)
	w.c.woken()
}

// launch looks for what can go and starts some of it: the oldest, or as a probe any.
func (w *world) launch(n int) {
	w.must(w.c.pollDue(w.now))
	_, err := w.c.scan(w.now)
	w.must(err)
	for ; n > 0 && len(w.c.ready) > 0; n-- {
		i := 0
		if w.rng.IntN(5) == 0 {
			i = w.rng.IntN(len(w.c.ready))
		}
		w.start(w.c.pop(i))
	}
}

func (w *world) start(e store.Entry) {
	want, ok := w.pending[e.Seq]
	switch {
	case !ok:
		w.t.Errorf("entry %d goes again after it has ended", e.Seq)
	case e.Attempts != want.Attempts || !e.Due.Equal(want.Due):
		w.t.Errorf("entry %d goes as it was: got %+v, want %+v", e.Seq, e, want)
	case want.Due.After(w.now) && want.Due.Sub(w.now) <= want.Wait+slew:
		w.t.Errorf("entry %d goes before it is due", e.Seq)
	case slices.ContainsFunc(w.flying, func(f flight) bool { return f.entry.Seq == e.Seq }):
		w.t.Errorf("entry %d goes twice at once", e.Seq)
	}
	for _, other := range w.pending {
		shared := slices.ContainsFunc(e.Lanes, func(l uint64) bool { return slices.Contains(other.Lanes, l) })
		if other.Seq < e.Seq && shared {
			w.t.Errorf("entry %d goes before entry %d of its lane", e.Seq, other.Seq)
		}
	}
	w.flying = append(w.flying, flight{entry: e})
}

// write records in the store what becomes of an attempt, as its own goroutine does.
func (w *world) write(i int, to fate) {
	f := &w.flying[i]
	if f.written {
		return
	}
	f.written, f.fate = true, to
	switch to {
	case finished:
		w.must(w.st.Finish(w.hook, f.entry, store.Delivery{Status: store.StatusDelivered}))
		delete(w.pending, f.entry.Seq)
	case waiting:
		f.entry.Attempts++
		f.entry.Wait = time.Duration(w.rng.Int64N(int64(3 * time.Second))).Truncate(time.Microsecond)
		f.entry.Due = w.now.Add(f.entry.Wait).Truncate(time.Microsecond)
		w.must(w.st.Retry(w.hook, f.entry))
		w.pending[f.entry.Seq] = f.entry
	}
}

// hear does what run does with an attempt that is over.
func (w *world) hear(i int) {
	f := w.flying[i]
	if !f.written {
		return
	}
	w.flying = slices.Delete(w.flying, i, i+1)
	switch f.fate {
	case kept:
		w.c.keep(f.entry)
	case waiting:
		w.c.park(f.entry)
	case finished:
		w.c.drop(f.entry)
		w.must(w.c.follow(f.entry, w.now))
	}
}

// bury does what the sweep does with the oldest entries.
func (w *world) bury(n int) {
	entries, err := w.st.Pending(w.hook, 0, n)
	w.must(err)
	for _, e := range entries {
		if !w.c.take(e) {
			continue
		}
		w.must(w.st.Finish(w.hook, e, store.Delivery{Status: store.StatusDead}))
		delete(w.pending, e.Seq)
		w.must(w.c.follow(e, w.now))
	}
}

// restart forgets all that is in memory, and with it the attempts. In between the clock may be set back.
func (w *world) restart() {
	if w.rng.IntN(3) == 0 {
		w.now = w.now.Add(-time.Duration(w.rng.Int64N(int64(time.Hour))))
	}
	if w.rng.IntN(4) == 0 {
		w.must(w.st.Close())
		w.open()
	}
	w.flying = nil
	w.c = newClaims(w.st, w.hook, 1)
	w.c.room = w.room
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestBacklogStaysOnDisk: of a long queue no more is read into memory than can go soon, be it of many records or of
// one.
func TestBacklogStaysOnDisk(t *testing.T) {
	t.Parallel()
	const backlog = 10_000
	for name, lane := range map[string]func(n int) uint64{
		"many records": func(n int) uint64 { return uint64(n) }, "one record": func(int) uint64 { return 1 },
	} {
		f := newFixture(t)
		hook := f.hook("w", "http://127.0.0.1", nil).Number
		events := make([]event, backlog)
		for n := range events {
			events[n] = event{n: n, lanes: []uint64{lane(n)}, hooks: []uint32{hook}}
		}
		f.add(events...)
		if err := f.st.Close(); err != nil {
			t.Fatal(err)
		}
		f.open()
		c := newClaims(f.st, hook, 16)
		for more, scans := true, 0; more; scans++ {
			var err error
			if more, err = c.scan(time.Now()); err != nil {
				t.Fatal(err)
			}
			if n := len(c.held) + len(c.ahead); n == 0 || n > c.room+scanBatch {
				t.Fatalf("%s: %d entries in memory after %d scans", name, n, scans+1)
			}
		}
	}
}
