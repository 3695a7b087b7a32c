package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func dead(t *testing.T, s *Store, w uint32) string {
	t.Helper()
	st, err := s.Stats(w)
	check(t, err)
	return fmt.Sprint(st.Dead, " ", st.DeadBytes > 0)
}

// TestShortDeadRetention keeps the dead letters of one webhook for less time than events: they go, and no longer fill
// its queue, while the events stay.
func TestShortDeadRetention(t *testing.T) {
	now := epoch
	s := openTest(t, "state", Options{
		FS: vfs.NewMem(), Now: func() time.Time { return now }, Retention: 72 * time.Hour, DeadRetention: 720 * time.Hour,
	})
	s.KeepDead(1, 24*time.Hour)
	at := func(hours int, dead1, dead2 string) {
		t.Helper()
		now = epoch.Add(time.Duration(hours) * time.Hour)
		sweepAll(t, s)
		want(t, fmt.Sprint("dead after ", hours, " h"), dead(t, s, 1)+", "+dead(t, s, 2), dead1+", "+dead2)
	}
	s.LimitQueue(1, QueueLimit{Bytes: 3000, Keep: true})
	addSome(t, s, 10, 4)
	finishSome(t, s, 1, 3, StatusDead)
	finishSome(t, s, 2, 4, StatusDead)
	at(10, "3 true", "4 true")
	finishSome(t, s, 1, 1, StatusDead) // dies later than the others
	at(23, "4 true", "4 true")
	want(t, "full", s.QueueFull(1), true)
	at(25, "1 true", "4 true")
	want(t, "full", s.QueueFull(1), false)
	at(35, "0 false", "4 true")
	if _, err := s.Event(1); err != nil {
		t.Error("the event of a dead letter that has gone went with it:", err)
	}
	at(73, "0 false", "4 true")
	at(721, "0 false", "0 false")
	wantRecount(t, s)
}

// TestSweepTurn has a turn of the sweep over large events end before the fsync, which waits for it, is late.
func TestSweepTurn(t *testing.T) {
	now := epoch
	s := openTest(t, "state", Options{FS: vfs.NewMem(), Now: func() time.Time { return now }})
	for i := range uint64(20) {
		tx, err := s.Begin(s.NewOverlay(1<<20), 10*i+10, epoch)
		check(t, err)
		ev := event(fmt.Sprint(i), 1)
		ev.Values = make([]byte, 2<<20)
		check(t, tx.Add(ev, []uint64{i}, []uint32{1}))
		check(t, tx.Commit())
	}
	now = epoch.Add(1000 * time.Hour)
	turns := 1
	for more := true; more; turns++ {
		var err error
		before := s.sweeper.next
		more, err = s.sweep()
		check(t, err)
		if looked := (s.sweeper.next - before) * 2 << 20; looked > sweepBytes+2<<20 {
			t.Errorf("turn %d looked at %d bytes", turns, looked)
		}
	}
	want(t, "looked at", s.sweeper.next, 21)
}

// TestWritten counts what takes each way to the disk.
func TestWritten(t *testing.T) {
	s := openTest(t, "state", Options{FS: vfs.NewMem()})
	const size = 1 << 20
	for name, write := range map[string]func(){
		"batch": func() { apply(t, s, 10, 1, []Change{{Table: 1, Key: "a", After: row(string(make([]byte, size)), "")}}) },
		"sync":  func() { check(t, s.SaveShape(1, make([]byte, size))) },
		"loader": func() {
			l := s.NewLoader(9)
			check(t, l.Add(1, "a", Row{Value: make([]byte, size)}))
			check(t, l.Close())
		},
		"event table": func() {
			events := eventTable{store: s}
			check(t, events.add(1<<40, make([]byte, size)))
			check(t, events.ingest())
		},
	} {
		before := s.Written()
		write()
		if got := s.Written() - before; got < size {
			t.Errorf("%s: %d bytes counted, %d written", name, got, size)
		}
	}
}
