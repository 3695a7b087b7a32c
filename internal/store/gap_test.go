package store

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"bluetap/internal/racetest"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// limited sets a limit for webhook 1 that takes so many of the events that addSome adds.
func limited(s *Store, events int) {
	ev := event("00000000", 1)
	ev.Values = make([]byte, 1000)
	s.LimitQueue(1, QueueLimit{Bytes: uint64(events * len(encodeEvent(ev, []uint32{1, 2})))})
}

// addSome applies a transaction of so many events of the same size for the webhooks 1 and 2.
func addSome(t testing.TB, s *Store, end uint64, n int) {
	t.Helper()
	tx, err := s.Begin(s.NewOverlay(1<<20), end, epoch)
	check(t, err)
	for i := range n {
		ev := event(fmt.Sprintf("%04d%04d", end, i), 1)
		ev.Values = make([]byte, 1000)
		if i%2 == 1 {
			ev.Type = "TODO_DELETED"
		}
		ev.Committed = epoch.Add(time.Duration(end) * time.Second)
		check(t, tx.Add(ev, []uint64{uint64(i)}, []uint32{1, 2}))
	}
	check(t, tx.Commit())
}

func finishSome(t testing.TB, s *Store, w uint32, n int, status string) {
	t.Helper()
	entries, err := s.Pending(w, 0, n)
	check(t, err)
	for _, e := range entries {
		check(t, s.Finish(w, e, Delivery{Status: status, At: s.opts.Now()}))
	}
}

func gapsOf(s *Store, w uint32) string {
	var out []string
	for _, g := range s.Gaps(w) {
		out = append(out, fmt.Sprint(g.From, "-", g.To, ":", g.Count, g.Events, !g.Ended.IsZero()))
	}
	return strings.Join(out, " ")
}

func note(g Gap) Note {
	return Note{Event: Event{ID: fmt.Sprint("gap", g.From, "-", g.To), Type: "BLUETAP_GAP", LSN: g.To}, Lane: 99}
}

func endGap(t *testing.T, s *Store, w uint32, wanted bool) {
	t.Helper()
	_, ok, err := s.EndGap(w, note)
	check(t, err)
	want(t, "gap ended", ok, wanted)
}

// TestGap takes a queue over its limit and back, with restarts; the other webhook's takes everything.
func TestGap(t *testing.T) {
	fs := vfs.NewMem()
	s, err := Open("state", Options{FS: fs})
	check(t, err)
	limited(s, 10)
	addSome(t, s, 10, 8)
	want(t, "not full yet", fmt.Sprint(s.QueueFull(1), gapsOf(s, 1)), "false")
	addSome(t, s, 20, 7)
	want(t, "full", fmt.Sprint(s.QueueFull(1), s.QueueRoom(1)), "true false")
	const first = "20-20:5 map[TODO_CREATED:3 TODO_DELETED:2] false"
	want(t, "gap", gapsOf(s, 1), first)
	want(t, "pending", fmt.Sprint(len(pending(t, s, 1)), len(pending(t, s, 2))), "10 15")
	finishSome(t, s, 1, 2, StatusDead) // a dead letter counts as well
	endGap(t, s, 1, false)
	finishSome(t, s, 1, 2, StatusDelivered)
	want(t, "no room at 80 %", s.QueueRoom(1), false)
	addSome(t, s, 30, 1)
	want(t, "overflowed until there is room", gapsOf(s, 1), "20-30:6 map[TODO_CREATED:4 TODO_DELETED:2] false")
	check(t, s.Close())

	s, err = Open("state", Options{FS: fs})
	check(t, err)
	limited(s, 10)
	want(t, "after a restart", gapsOf(s, 1), "20-30:6 map[TODO_CREATED:4 TODO_DELETED:2] false")
	finishSome(t, s, 1, 1, StatusDelivered)
	var told []uint32
	s.OnQueued(func(webhooks []uint32) { told = append(told, webhooks...) })
	endGap(t, s, 1, true)
	endGap(t, s, 1, false)
	want(t, "announced", fmt.Sprint(told), "[1]")
	addSome(t, s, 40, 1)
	want(t, "queued", strings.Join(pendingIDs(t, s, 1)[5:], " "), "gap20-30 00400000")
	want(t, "gap", gapsOf(s, 1), "20-30:6 map[TODO_CREATED:4 TODO_DELETED:2] true")
	wantRecount(t, s)
	check(t, s.Close())
	s = openTest(t, "state", Options{FS: fs})
	want(t, "at the end", fmt.Sprint(gapsOf(s, 1), s.Applied()), "20-30:6 map[TODO_CREATED:4 TODO_DELETED:2] true40")
	want(t, "the other's", gapsOf(s, 2), "")
	wantRecount(t, s)
}

// TestKeep has a queue that is full and told to go on: it never gets a gap, and ends the one that it has.
func TestKeep(t *testing.T) {
	s := openTest(t, "state", Options{FS: vfs.NewMem()})
	limited(s, 2)
	addSome(t, s, 10, 3)
	want(t, "gap", gapsOf(s, 1), "10-10:1 map[TODO_CREATED:1] false")
	s.LimitQueue(1, QueueLimit{Bytes: 1, Keep: true})
	endGap(t, s, 1, true)
	addSome(t, s, 20, 3)
	want(t, "full", s.QueueFull(1), true)
	want(t, "pending", len(pending(t, s, 1)), 6)
}

// TestManyGaps has more gaps than are kept apart, and retention drop them.
func TestManyGaps(t *testing.T) {
	now, fs := epoch, vfs.NewMem()
	o := Options{FS: fs, Now: func() time.Time { return now }}
	s, err := Open("state", o)
	check(t, err)
	limited(s, 1)
	for n := range uint64(maxGaps + 5) {
		addSome(t, s, 10*n+10, 2)
		finishSome(t, s, 1, 10, StatusDelivered)
		endGap(t, s, 1, true)
		finishSome(t, s, 1, 10, StatusDelivered)
		now = now.Add(time.Hour)
	}
	check(t, s.Close())
	s = openTest(t, "state", o)
	gaps := s.Gaps(1)
	want(t, "gaps", len(gaps), maxGaps)
	want(t, "the oldest", fmt.Sprint(gaps[0].From, gaps[0].To, gaps[0].Count), "10 60 6")
	now = epoch.Add(720*time.Hour + 10*time.Hour + time.Minute)
	_, err = s.sweep()
	check(t, err)
	want(t, "the oldest left", s.Gaps(1)[0].From, 120)
	keys := 0
	for _, err := range s.scan([]byte{spaceGap}, after([]byte{spaceGap})) {
		check(t, err)
		keys++
	}
	want(t, "on disk", keys, len(s.Gaps(1)))
}

// TestGapRecords opens stores with gaps that are written otherwise than now.
func TestGapRecords(t *testing.T) {
	fs := vfs.NewMem()
	s, err := Open("state", Options{FS: fs})
	check(t, err)
	check(t, s.putSync(key64(spaceGap, 1, 5), []byte(`{"from":5,"to":9,"count":3,"events":null}`)))
	check(t, s.Close())
	s, err = Open("state", Options{FS: fs})
	check(t, err)
	limited(s, 1)
	addSome(t, s, 10, 3)
	want(t, "gap", gapsOf(s, 1), "5-10:6 map[TODO_CREATED:2 TODO_DELETED:1] false")
	check(t, s.putSync([]byte{spaceGap}, []byte("{}")))
	check(t, s.Close())
	_, err = Open("state", Options{FS: fs})
	wantHinted(t, err, ErrDamaged)
}

// TestGapClock ends a gap while the clock is far ahead, and the next one once it has been set right.
func TestGapClock(t *testing.T) {
	now, fs := epoch, vfs.NewMem()
	o := Options{FS: fs, Now: func() time.Time { return now }}
	s, err := Open("state", o)
	check(t, err)
	limited(s, 2)
	for i, ahead := range []time.Duration{10 * 365 * 24 * time.Hour, 0} {
		now = epoch.Add(ahead)
		addSome(t, s, 10*uint64(i)+10, 4)
		finishSome(t, s, 1, 10, StatusDelivered)
		endGap(t, s, 1, true)
		finishSome(t, s, 1, 10, StatusDelivered)
	}
	now = epoch.Add(721 * time.Hour)
	_, err = s.sweep()
	check(t, err)
	kept := gapsOf(s, 1)
	want(t, "gaps", kept, "10-10:2 map[TODO_CREATED:1 TODO_DELETED:1] true")
	check(t, s.Close())
	s = openTest(t, "state", o)
	want(t, "gaps after a restart", gapsOf(s, 1), kept)
}

// TestGapCrash crashes at each write of a history in which a queue overflows, in small transactions and in the middle
// of large ones, and has room again: queue and gap are always of the same moment, and after the rest of the history
// each event is in one of them.
func TestGapCrash(t *testing.T) {
	racetest.SkipOneByOne(t)
	for name, l := range map[string]large{"staged": {budget: 2000, rules: "one"}, "promoted": {budget: 1 << 20}} {
		t.Run(name, func(t *testing.T) {
			mem := vfs.NewCrashableMem()
			var clones []vfs.FS
			s := l.open(t, errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
				if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && strings.HasSuffix(op.Path, ".log") {
					clones = append(clones, mem.CrashClone(vfs.CrashCloneCfg{
						UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(1, uint64(len(clones)))),
					}))
				}
				return nil
			})))
			l.overflow(t, s)
			check(t, s.Close())
			stages := map[string]int{}
			for _, fs := range clones {
				s := l.open(t, fs)
				wantEachOnce(t, s)
				m, ok, err := s.readMark()
				check(t, err)
				stages[fmt.Sprint("resumed with a gap: ", ok && m.Scratch != 0 && len(m.Gaps) > 0)]++
				l.overflow(t, s)
				check(t, s.Close())
			}
			t.Log(len(clones), "crashes found:", stages)
			if len(clones) < 20 || name == "staged" && stages["resumed with a gap: true"] == 0 {
				t.Fatal("no crash inside the transaction")
			}
		})
	}
}

// overflow does the rest of the history, from wherever a crash has left it. Event ids say of which commit they are.
func (l large) overflow(t *testing.T, s *Store) {
	t.Helper()
	ev := event("large000", 20)
	ev.Values = make([]byte, 500)
	s.LimitQueue(1, QueueLimit{Bytes: uint64(100 * len(encodeEvent(ev, []uint32{1, 2})))})
	if s.Applied() < 10 {
		seed(t, s)
		wantEachOnce(t, s)
	}
	l.finish(t, s)
	check(t, s.SyncNow(t.Context()))
	wantEachOnce(t, s)
	for end := uint64(30); end <= 60; end += 10 {
		if s.Applied() < end {
			addSome(t, s, end, 3)
		}
		finishSome(t, s, 1, 15, StatusDelivered)
		_, _, err := s.EndGap(1, note)
		check(t, err)
		check(t, s.SyncNow(t.Context()))
		wantEachOnce(t, s)
	}
}

// wantEachOnce compares what has been queued and what has been missed with what has been applied.
func wantEachOnce(t *testing.T, s *Store) {
	t.Helper()
	applied := map[uint64]uint64{10: 1, 20: 270, 30: 3, 40: 3, 50: 3, 60: 3}
	var wanted, got uint64
	for _, end := range slices.Sorted(maps.Keys(applied)) {
		if end <= s.Applied() {
			wanted += applied[end]
		}
	}
	for r, err := range s.scan(eventKey(0), eventKey(s.visible.Load())) {
		check(t, err)
		ev, webhooks, err := decodeEvent(r.value)
		check(t, err)
		if slices.Contains(webhooks, 1) && ev.Type != "BLUETAP_GAP" {
			got++
		}
	}
	for _, g := range s.Gaps(1) {
		got += g.Count
	}
	want(t, fmt.Sprint("events for webhook 1 at ", s.Applied()), got, wanted)
	wantRecount(t, s)
}
