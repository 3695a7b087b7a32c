package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"bluetap/internal/racetest"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// large is a transaction of 200 rows and up to 300 events for two webhooks, to be applied over the rows of seed.
type large struct {
	budget int64
	rules  string // see SetRules
	hidden int    // by which every so many of the events are not made; 0: none
}

func seed(t testing.TB, s *Store) {
	t.Helper()
	var changes []Change
	for i := range 100 {
		changes = append(changes, Change{Table: 1, Key: fmt.Sprintf("k%03d", i), After: row("old", "p")})
	}
	apply(t, s, 10, 3, changes, "seed")
	check(t, s.SyncNow(t.Context()))
}

func (l large) overlay(s *Store) (*Overlay, error) {
	o := s.NewOverlay(l.budget)
	for i := range 200 {
		var before *Row
		if i < 100 {
			before = row("old", "p")
		}
		after := row(fmt.Sprint("new", i), "q")
		if i%10 == 0 {
			after = nil
		}
		if err := o.Set(1, fmt.Sprintf("k%03d", i), before, after); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (l large) hides(i int) bool { return l.hidden > 0 && i%l.hidden == 0 }

// add maps: the same events every time. Every tenth is wanted by no webhook.
func (l large) add(tx *Tx) error {
	for i := range 300 {
		webhooks := []uint32{1, 2}
		if i%10 == 0 {
			webhooks = nil
		}
		if l.hides(i) {
			continue
		}
		ev := event(fmt.Sprintf("large%03d", i), 20)
		ev.Values = []byte(strings.Repeat("x", 500))
		if err := tx.Add(ev, []uint64{uint64(i % 7), 50}, webhooks); err != nil {
			return err
		}
		if i%20 == 19 && l.rules != "" { // so that crashes find marks, however late the log is written
			if err := tx.store.SyncNow(context.Background()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l large) run(s *Store) error {
	o, err := l.overlay(s)
	if err != nil {
		return err
	}
	tx, err := s.Begin(o, 20, epoch)
	if err != nil {
		return err
	}
	if err := l.add(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// finish does what a restart does: resume what is staged, or take the transaction from the source again.
func (l large) finish(t testing.TB, s *Store) {
	t.Helper()
	st, ok, err := s.Staged()
	check(t, err)
	switch {
	case ok:
		want(t, "staged end", st.End, 20)
		_, tx, err := s.Resume(t.Context())
		check(t, err)
		if !st.Mapped {
			want(t, "row before mapping again", mirrored(t, s, 1)["k001"], "old")
			check(t, l.add(tx))
		}
		check(t, tx.Commit())
	case s.Applied() < 20:
		check(t, l.run(s))
	}
}

// wantAfter checks that the transaction is there, all of it, once.
func (l large) wantAfter(t testing.TB, s *Store) {
	t.Helper()
	want(t, "applied", s.Applied(), 20)
	rows := mirrored(t, s, 1)
	want(t, "rows", len(rows), 180)
	want(t, "changed row", rows["k001"], "new1")
	var children int
	for _, err := range s.Mirror().Children(1, "q") {
		check(t, err)
		children++
	}
	want(t, "children", children, 180)
	for _, err := range s.Mirror().Children(1, "p") {
		check(t, err)
		t.Fatal("a reference of before is left")
	}
	for w := uint32(1); w <= 2; w++ {
		wanted := []string{"seed"}
		if w == 2 {
			wanted = nil
		}
		for i := range 300 {
			if i%10 != 0 && !l.hides(i) {
				wanted = append(wanted, fmt.Sprintf("large%03d", i))
			}
		}
		want(t, "events", fmt.Sprint(pendingIDs(t, s, w)), fmt.Sprint(wanted))
		stats, err := s.Stats(w)
		check(t, err)
		want(t, "pending", stats.Pending, uint64(len(wanted)))
	}
	key, err := s.first([]byte{spaceScratch}, after([]byte{spaceScratch}))
	check(t, err)
	want(t, "scratch left", string(key), "")
	wantNoOrphans(t, s)
	_, ok, err := s.Staged()
	check(t, err)
	want(t, "staged", ok, false)
}

// wantNoOrphans checks that the lanes hold the pending entries and nothing else, and that all events are visible.
func wantNoOrphans(t testing.TB, s *Store) {
	t.Helper()
	wanted, found := 0, 0
	for w := uint32(1); w <= 2; w++ {
		entries, err := s.Pending(w, 0, 1<<20)
		check(t, err)
		for _, e := range entries {
			wanted += len(e.Lanes)
		}
	}
	for _, err := range s.scan([]byte{spaceLane}, after([]byte{spaceLane})) {
		check(t, err)
		found++
	}
	want(t, "places in lanes", found, wanted)
	key, err := s.first(eventKey(s.visible.Load()), after([]byte{spaceEvent}))
	check(t, err)
	want(t, "event behind the visible bound", string(key), "")
}

// wantBefore checks that nothing of the transaction can be seen.
func (l large) wantBefore(t testing.TB, s *Store) {
	t.Helper()
	want(t, "events before", fmt.Sprint(pendingIDs(t, s, 1), pendingIDs(t, s, 2)), "[seed] []")
	e, _, err := s.Following(1, 3, 0)
	check(t, err)
	want(t, "head of the lane", e.Seq, 1)
	_, ok, err := s.Following(1, 3, 1)
	check(t, err)
	want(t, "following", ok, false)
}

func (l large) open(t testing.TB, fs vfs.FS) *Store {
	t.Helper()
	s, err := Open("state", Options{FS: fs})
	check(t, err)
	s.chunk, s.promote, s.table = 6000, 20_000, 40_000
	s.SetRules(l.rules)
	return s
}

// TestLargeTransaction crashes in each write and each fsync of a transaction that is written in pieces: one whose
// changes lie on disk, one whose changes are in memory but whose events are too many, and a small one.
func TestLargeTransaction(t *testing.T) {
	racetest.SkipOneByOne(t)
	for name, l := range map[string]large{
		"staged": {budget: 2000, rules: "one"}, "promoted": {budget: 1 << 20},
	} {
		for _, unsynced := range []int{0, 50, 100} {
			t.Run(fmt.Sprint(name, unsynced), func(t *testing.T) {
				clones := l.clones(t, unsynced)
				stages := map[string]int{}
				for _, fs := range clones {
					stages[l.recover(t, fs)]++
				}
				t.Log(len(clones), "crashes found:", stages)
				if len(clones) < 10 || name == "staged" && stages["resumed"] == 0 {
					t.Fatal("no crash inside the transaction")
				}
			})
		}
	}
}

// crashes is a file system that is copied, as a power cut would leave it, at each write.
type crashes struct {
	mem      *vfs.MemFS
	unsynced int // percent of what was not synced that is kept

	mu     sync.Mutex // Pebble writes from several goroutines
	record bool
	clones []*vfs.MemFS
}

func (c *crashes) fs() vfs.FS {
	return errorfs.Wrap(c.mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.record && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			c.clones = append(c.clones, c.mem.CrashClone(vfs.CrashCloneCfg{
				UnsyncedDataPercent: c.unsynced, RNG: rand.New(rand.NewPCG(1, uint64(len(c.clones)))),
			}))
		}
		return nil
	}))
}

func (c *crashes) recording(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.record = on
}

// clones applies the transaction and returns the copies.
func (l large) clones(t *testing.T, unsynced int) []*vfs.MemFS {
	t.Helper()
	c := &crashes{mem: vfs.NewCrashableMem(), unsynced: unsynced}
	s := l.open(t, c.fs())
	seed(t, s)
	c.recording(true)
	check(t, l.run(s))
	check(t, s.SyncNow(t.Context()))
	l.wantAfter(t, s)
	c.recording(false)
	check(t, s.Close())
	return c.clones
}

func (l large) recover(t *testing.T, fs vfs.FS) string {
	t.Helper()
	s := l.open(t, fs)
	defer func() { check(t, s.Close()) }()
	stage := "sent again"
	if _, ok, err := s.Staged(); err != nil || ok {
		check(t, err)
		stage = "resumed"
		o := s.NewOverlay(1 << 20)
		if _, err := s.Begin(o, 30, epoch); !errors.Is(err, ErrStaged) {
			t.Fatalf("begin before resume: got %v, want ErrStaged", err)
		}
	}
	if s.Applied() == 20 {
		stage = "complete"
	} else {
		want(t, "applied", s.Applied(), 10)
		l.wantBefore(t, s)
	}
	l.finish(t, s)
	l.wantAfter(t, s)
	return stage
}

// TestStagedRows stops between the rows of a staged transaction and its last write.
func TestStagedRows(t *testing.T) {
	fs, l := vfs.NewMem(), large{budget: 2000, rules: "one"}
	s := l.open(t, fs)
	seed(t, s)
	o, err := l.overlay(s)
	check(t, err)
	tx, err := s.Begin(o, 20, epoch)
	check(t, err)
	check(t, l.add(tx))
	check(t, tx.applyStaged())
	want(t, "half applied row", mirrored(t, s, 1)["k001"], "new1")
	check(t, s.Close())
	s = l.open(t, fs)
	st, _, err := s.Staged()
	check(t, err)
	want(t, "staged", fmt.Sprint(st.End, st.Cursor, st.Mapped, st.Anew), "20 300 true false")
	l.wantBefore(t, s)
	l.finish(t, s)
	l.wantAfter(t, s)
	check(t, s.Close())
}

func TestDiscard(t *testing.T) {
	for name, l := range map[string]large{"staged": {budget: 2000}, "promoted": {budget: 1 << 20}} {
		t.Run(name, func(t *testing.T) {
			s := openTest(t, "state", Options{FS: vfs.NewMem()})
			s.chunk, s.promote, s.table = 3000, 20_000, 40_000
			seed(t, s)
			o, err := l.overlay(s)
			check(t, err)
			tx, err := s.Begin(o, 20, epoch)
			check(t, err)
			check(t, l.add(tx))
			check(t, tx.Discard())
			check(t, o.Discard())
			l.wantBefore(t, s)
			want(t, "rows", mirrored(t, s, 1)["k001"], "old")
			check(t, l.run(s))
			l.wantAfter(t, s)
		})
	}
}

func TestTooLarge(t *testing.T) {
	s := openTest(t, "state", Options{FS: vfs.NewMem()})
	s.maxBatch = 10_000
	o := s.NewOverlay(1 << 20)
	check(t, o.Set(1, "a", nil, row(strings.Repeat("x", 20_000), "")))
	tx, err := s.Begin(o, 1, epoch)
	check(t, err)
	if err := tx.Commit(); !errors.Is(err, ErrTooLarge) {
		t.Fatalf("got %v, want ErrTooLarge", err)
	}
	check(t, tx.Discard())
	want(t, "applied", s.Applied(), 0)
	if err := s.NewLoader(1).Add(1, "a", *row(strings.Repeat("x", 20_000), "")); !errors.Is(err, ErrTooLarge) {
		t.Fatalf("load: got %v, want ErrTooLarge", err)
	}
	apply(t, s, 2, 1, []Change{{Table: 1, Key: "a", After: row("small", "")}}, "e")
}

func TestEventEncoding(t *testing.T) {
	ev := event("id", 1<<63)
	ev.Values = []byte(`"previousValue":{"title":"ü"},"currentValue":null`)
	got, webhooks, err := decodeEvent(encodeEvent(ev, []uint32{1, 1 << 31}))
	check(t, err)
	want(t, "event", fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", ev))
	want(t, "webhooks", fmt.Sprint(webhooks), fmt.Sprint([]uint32{1, 1 << 31}))
	for n := range len(encodeEvent(Event{ID: "id", Type: "T"}, []uint32{1})) {
		if _, _, err := decodeEvent(encodeEvent(Event{ID: "id", Type: "T"}, []uint32{1})[:n]); err == nil {
			t.Fatalf("an event cut to %d bytes was taken", n)
		}
	}
}
