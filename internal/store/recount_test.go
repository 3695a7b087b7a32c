package store

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"bluetap/internal/racetest"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// wantRecount compares what is counted along the way with what is there.
func wantRecount(t testing.TB, s *Store) {
	t.Helper()
	sizes := map[uint64]uint64{}
	for r, err := range s.scan(eventKey(0), eventKey(s.visible.Load())) {
		check(t, err)
		sizes[seqOf(r.key)] = uint64(len(r.value))
	}
	for w := uint32(1); w <= 2; w++ {
		var counted Stats
		for _, e := range pending(t, s, w) {
			counted.Pending++
			counted.Bytes += sizes[e.Seq]
		}
		for o, err := range s.Log(w, 0) {
			check(t, err)
			if o.Delivery.Status == StatusDead {
				counted.Dead++
				counted.DeadBytes += sizes[o.Seq]
			}
		}
		got, err := s.Stats(w)
		check(t, err)
		got.Delivered, got.Oldest = 0, time.Time{}
		want(t, fmt.Sprint("counts of webhook ", w), got, counted)
	}
}

// TestRecount does at random what changes the counts, with restarts.
func TestRecount(t *testing.T) {
	racetest.SkipOneByOne(t)
	random := rand.New(rand.NewPCG(1, 2))
	now, fs := epoch, vfs.NewMem()
	o := Options{FS: fs, Now: func() time.Time { return now }, DeadRetention: 100 * time.Hour}
	s, err := Open("state", o)
	check(t, err)
	limited(s, 30)
	s.KeepDead(1, 24*time.Hour)
	for step := range uint64(600) {
		w := uint32(1 + random.IntN(2))
		switch random.IntN(6) {
		case 0, 1:
			addSome(t, s, 10*step+10, random.IntN(12))
		case 2:
			finishSome(t, s, w, random.IntN(8), StatusDelivered)
		case 3:
			finishSome(t, s, w, random.IntN(8), StatusDead)
		case 4:
			now = now.Add(time.Duration(random.IntN(20)) * time.Hour)
			_, err := s.sweep()
			check(t, err)
			_, _, err = s.EndGap(1, note)
			check(t, err)
		case 5:
			check(t, s.Close())
			s, err = Open("state", o)
			check(t, err)
			limited(s, 30)
			s.KeepDead(1, 24*time.Hour)
		}
		wantRecount(t, s)
	}
	if len(s.Gaps(1)) == 0 {
		t.Error("no gap in all that")
	}
	check(t, s.Close())
}

// TestCountsOfBefore opens a store of a version that did not count the bytes of the dead.
func TestCountsOfBefore(t *testing.T) {
	fs := vfs.NewMem()
	s, err := Open("state", Options{FS: fs})
	check(t, err)
	addSome(t, s, 10, 9)
	finishSome(t, s, 1, 3, StatusDead)
	finishSome(t, s, 1, 2, StatusDelivered)
	check(t, s.putSync(key32(spaceCounts, 1), []byte{2, 3}))
	check(t, s.Close())
	s, err = Open("state", Options{FS: fs})
	check(t, err)
	wantRecount(t, s)
	if got, _ := s.Stats(1); got.DeadBytes == 0 {
		t.Error("no bytes of dead letters")
	}
	check(t, s.Close())
}
