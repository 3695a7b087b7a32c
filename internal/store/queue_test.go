package store

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func seqs(entries []Entry) string {
	var out []uint64
	for _, e := range entries {
		out = append(out, e.Seq)
	}
	return fmt.Sprint(out)
}

func pending(t testing.TB, s *Store, w uint32) []Entry {
	t.Helper()
	entries, err := s.Pending(w, 0, 1000)
	check(t, err)
	return entries
}

func heads(t *testing.T, s *Store, w uint32, e Entry) bool {
	t.Helper()
	ok, err := s.Heads(w, e)
	check(t, err)
	return ok
}

func TestQueue(t *testing.T) {
	fs := vfs.NewMem()
	s, err := Open("state", Options{FS: fs})
	check(t, err)
	var queued []uint32
	s.OnQueued(func(webhooks []uint32) { queued = append(queued, webhooks...) })
	apply(t, s, 1, 100, nil, "a1", "a2")
	apply(t, s, 2, 200, nil, "b1")
	want(t, "announced", fmt.Sprint(queued), "[1 1]")
	e := pending(t, s, 1)
	want(t, "pending", seqs(e), "[1 2 3]")
	want(t, "lanes", fmt.Sprint(e[0].Lanes), "[100]")
	if !e[0].Committed.Equal(event("", 1).Committed) || e[0].Bytes == 0 {
		t.Fatalf("entry %+v lacks commit time or size", e[0])
	}
	want(t, "first heads", heads(t, s, 1, e[0]), true)
	want(t, "second heads", heads(t, s, 1, e[1]), false)
	want(t, "other lane heads", heads(t, s, 1, e[2]), true)

	check(t, s.Finish(1, e[0], Delivery{
		Status: StatusDelivered, At: epoch, Attempts: 1, Code: 204, Response: bytes.Repeat([]byte("x"), 20_000),
	}))
	want(t, "second heads now", heads(t, s, 1, e[1]), true)
	next, ok, err := s.Following(1, 100, e[0].Seq)
	check(t, err)
	want(t, "following", fmt.Sprint(next.Seq, ok), "2 true")
	_, ok, err = s.Following(1, 100, 2)
	check(t, err)
	want(t, "following the last", ok, false)
	check(t, s.Finish(1, e[1], Delivery{Status: StatusDead, At: epoch, Attempts: 13, Code: 500, Reason: "status 500"}))
	check(t, s.Finish(1, e[1], Delivery{Status: StatusDead}))

	check(t, s.Close())
	wantOutcomes(t, openTest(t, "state", Options{FS: fs}), e)
}

// wantOutcomes checks what TestQueue left, after the store has been opened again.
func wantOutcomes(t *testing.T, s *Store, e []Entry) {
	t.Helper()
	stats, err := s.Stats(1)
	check(t, err)
	want(t, "stats", stats, Stats{Pending: 1, Bytes: uint64(e[2].Bytes), Dead: 1,
		DeadBytes: uint64(e[1].Bytes), Delivered: 1, Oldest: e[2].Committed})
	d, ok, err := s.Delivery(1, e[0].Seq)
	check(t, err)
	want(t, "delivery", fmt.Sprint(ok, d.Status, d.Attempts, d.Code, len(d.Response)), "truedelivered1 204 16384")
	var log []string
	for o, err := range s.Log(1, 0) {
		check(t, err)
		log = append(log, fmt.Sprint(o.Seq, o.Delivery.Status, o.Delivery.Reason))
	}
	want(t, "log", fmt.Sprint(log), "[1delivered 2deadstatus 500]")
}

func TestTwoLanes(t *testing.T) {
	s := openTest(t, "state", Options{FS: vfs.NewMem()})
	tx, err := s.Begin(s.NewOverlay(1), 1, epoch)
	check(t, err)
	for i, lanes := range [][]uint64{{1}, {2}, {1, 2}, {2}, {1}} {
		check(t, tx.Add(event(fmt.Sprint(i), 1), lanes, []uint32{1, 2}))
	}
	check(t, tx.Commit())
	e := pending(t, s, 1)
	check(t, s.Finish(1, e[0], Delivery{Status: StatusDelivered}))
	want(t, "heads one of two", heads(t, s, 1, e[2]), false)
	check(t, s.Finish(1, e[1], Delivery{Status: StatusDelivered}))
	want(t, "heads both", heads(t, s, 1, e[2]), true)
	want(t, "behind in lane 2", heads(t, s, 1, e[3]), false)
	want(t, "behind in lane 1", heads(t, s, 1, e[4]), false)
	want(t, "the other webhook's", heads(t, s, 2, e[2]), false)
	check(t, s.Finish(1, e[2], Delivery{Status: StatusDelivered}))
	want(t, "lane 2 freed", heads(t, s, 1, e[3]), true)
	want(t, "lane 1 freed", heads(t, s, 1, e[4]), true)
}

func wantDue(t *testing.T, s *Store, until time.Duration, wanted string) {
	t.Helper()
	due, err := s.Due(1, epoch.Add(until), 10)
	check(t, err)
	want(t, "due", seqs(due), wanted)
}

// wantNextDue takes the zero time for no due time at all.
func wantNextDue(t *testing.T, s *Store, wanted time.Time) {
	t.Helper()
	at, ok, err := s.NextDue(1)
	check(t, err)
	want(t, "next due", at, wanted)
	want(t, "has a due time", ok, !wanted.IsZero())
}

func TestDue(t *testing.T) {
	fs := vfs.NewMem()
	s, err := Open("state", Options{FS: fs})
	check(t, err)
	apply(t, s, 1, 7, nil, "a", "b", "c")
	e := pending(t, s, 1)
	wantNextDue(t, s, time.Time{})
	retry := func(e Entry, attempts int, due time.Time) {
		t.Helper()
		e.Attempts, e.Due = attempts, due
		check(t, s.Retry(1, e))
	}
	retry(e[0], 1, epoch.Add(20*time.Second))
	retry(e[1], 1, epoch.Add(10*time.Second))
	wantDue(t, s, 9*time.Second, "[]")
	wantDue(t, s, 10*time.Second, "[2]")
	wantDue(t, s, time.Minute, "[2 1]")
	wantNextDue(t, s, epoch.Add(10*time.Second))
	retry(e[1], 2, epoch.Add(40*time.Second))
	wantDue(t, s, time.Minute, "[1 2]")
	retry(e[2], 1, epoch.Add(time.Second))
	wantDue(t, s, 5*time.Second, "[3]")
	check(t, s.Finish(1, e[2], Delivery{Status: StatusDead}))
	wantNextDue(t, s, epoch.Add(20*time.Second))
	retry(e[2], 9, epoch)
	retry(e[0], 3, time.Time{})
	check(t, s.Close())

	s = openTest(t, "state", Options{FS: fs})
	wantDue(t, s, time.Minute, "[2]")
	got, ok, err := s.Entry(1, e[1].Seq)
	check(t, err)
	want(t, "entry", fmt.Sprint(ok, got.Attempts, got.Due.Equal(epoch.Add(40*time.Second))), "true 2 true")
	got, _, err = s.Entry(1, e[0].Seq)
	check(t, err)
	want(t, "without due time", fmt.Sprint(got.Attempts, got.Due.IsZero()), "3 true")
}

func TestMarkLane(t *testing.T) {
	s := openTest(t, "state", Options{FS: vfs.NewMem()})
	check(t, s.MarkLane(1, 5))
	for _, c := range []struct {
		webhook uint32
		lane    uint64
		marked  bool
	}{{1, 5, true}, {1, 6, false}, {2, 5, false}} {
		got, err := s.LaneMarked(c.webhook, c.lane)
		check(t, err)
		want(t, fmt.Sprint(c), got, c.marked)
	}
	check(t, s.UnmarkLane(1, 5))
	got, err := s.LaneMarked(1, 5)
	check(t, err)
	want(t, "unmarked", got, false)
}

// TestPendingFloor drains a queue out of order and in order; what is left must always be found.
func TestPendingFloor(t *testing.T) {
	s := openTest(t, "state", Options{FS: vfs.NewMem()})
	apply(t, s, 1, 1, nil, "a", "b", "c", "d")
	e := pending(t, s, 1)
	for _, step := range []struct {
		finish int
		left   string
	}{{1, "[1 3 4]"}, {0, "[3 4]"}, {3, "[3]"}, {2, "[]"}} {
		check(t, s.Finish(1, e[step.finish], Delivery{Status: StatusDelivered}))
		want(t, "left", seqs(pending(t, s, 1)), step.left)
	}
	apply(t, s, 2, 1, nil, "e")
	want(t, "next", seqs(pending(t, s, 1)), "[5]")
	later, err := s.Pending(1, 6, 10)
	check(t, err)
	want(t, "from beyond", seqs(later), "[]")
}

func TestRetention(t *testing.T) {
	now := epoch
	s := openTest(t, "state", Options{FS: vfs.NewMem(), Now: func() time.Time { return now }})
	apply(t, s, 1, 1, nil, "delivered", "dead", "pending")
	e := pending(t, s, 1)
	check(t, s.Finish(1, e[0], Delivery{Status: StatusDelivered, At: epoch, Response: []byte("ok")}))
	check(t, s.Finish(1, e[1], Delivery{Status: StatusDead, At: epoch}))
	left := func() (out string) {
		for r, err := range s.scan(eventKey(0), after([]byte{spaceEvent})) {
			check(t, err)
			out += fmt.Sprint(seqOf(r.key))
		}
		return out
	}
	for _, step := range []struct {
		after time.Duration
		left  string
	}{{71 * time.Hour, "123"}, {73 * time.Hour, "23"}, {719 * time.Hour, "23"}, {722 * time.Hour, "3"}} {
		now = epoch.Add(step.after)
		_, err := s.sweep()
		check(t, err)
		want(t, fmt.Sprint("left after ", step.after), left(), step.left)
	}
	check(t, s.Finish(1, e[2], Delivery{Status: StatusDelivered, At: now}))
	now = now.Add(2 * time.Hour)
	_, err := s.sweep()
	check(t, err)
	want(t, "left at the end", left(), "")
	for _, space := range []byte{spaceOutcome, spaceResponse} {
		key, err := s.first([]byte{space}, after([]byte{space}))
		check(t, err)
		want(t, "log left", string(key), "")
	}
	stats, err := s.Stats(1)
	check(t, err)
	want(t, "stats", stats, Stats{Delivered: 2})
}
