package store

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// noise is n bytes that cannot be compressed.
func noise(n int, seed uint64) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)}).Read(b) // never fails
	return b
}

// wantReclaimed reclaims, as the daemon does while it does not read, until the tables and the memtable, which
// takes 16 MiB when it is empty, take no more than so many MiB.
func wantReclaimed(t *testing.T, s *Store, left uint64) {
	t.Helper()
	tables := func() uint64 {
		m := s.db.Metrics()
		return (uint64(m.Total().TablesSize) + m.Table.ObsoleteSize + m.Table.ZombieSize + m.MemTable.Size) >> 20
	}
	before := tables()
	for deadline := time.Now().Add(patience); tables() > left; {
		if time.Now().After(deadline) {
			t.Fatalf("%d MiB of %d MiB are left in tables, want %d\n%s", tables(), before, left, s.db.Metrics())
		}
		check(t, s.Reclaim(t.Context()))
		<-time.After(50 * time.Millisecond) // Pebble removes files in the background
	}
	t.Logf("%d MiB of %d MiB are left", tables(), before)
}

func sweepAll(t *testing.T, s *Store) {
	t.Helper()
	for more := true; more; {
		var err error
		more, err = s.sweep()
		check(t, err)
	}
}

// addLarge applies transactions of one event of 1 MiB each for webhook 1, and delivers them.
func addLarge(t *testing.T, s *Store, from, to uint64) {
	t.Helper()
	for i := from; i < to; i++ {
		tx, err := s.Begin(s.NewOverlay(1<<20), 10*i+10, epoch)
		check(t, err)
		ev := event(fmt.Sprintf("%08d", i), 1)
		ev.Values = noise(1<<20, i)
		check(t, tx.Add(ev, []uint64{i}, []uint32{1}))
		check(t, tx.Commit())
		finishSome(t, s, 1, 1, StatusDelivered)
	}
}

// TestReclaim fills a store with what is dropped then, in the ways in which something can be: nothing else is written
// afterwards, as reading is stopped, so that Pebble alone would keep most of it.
func TestReclaim(t *testing.T) {
	now := epoch
	old := func() { now = epoch.Add(1000 * time.Hour) }
	for name, c := range map[string]struct {
		left uint64 // MiB
		fill func(t *testing.T, s *Store) *Store
	}{
		"scratch of a large transaction": {66, func(t *testing.T, s *Store) *Store {
			t.Helper()
			o := s.NewOverlay(4 << 20)
			for i := range uint64(3000) {
				check(t, o.Set(1, fmt.Sprintf("%08d", i), nil, &Row{Value: noise(16<<10, i)}))
			}
			tx, err := s.Begin(o, 10, epoch)
			check(t, err)
			check(t, tx.Commit())
			return s
		}},
		"responses and outcomes": {20, func(t *testing.T, s *Store) *Store {
			t.Helper()
			for i := range uint64(40) {
				addSome(t, s, 10*i+10, 100)
				entries, err := s.Pending(1, 0, 100)
				check(t, err)
				for k, e := range entries {
					d := Delivery{Status: StatusDelivered, At: now, Response: noise(16<<10, uint64(k)+i*1000)}
					check(t, s.Finish(1, e, d))
				}
				finishSome(t, s, 2, 100, StatusDelivered)
			}
			old()
			sweepAll(t, s)
			return s
		}},
		"events": {20, func(t *testing.T, s *Store) *Store {
			t.Helper()
			addLarge(t, s, 0, 60)
			old()
			sweepAll(t, s)
			return s
		}},
		"events, before a restart": {20, func(t *testing.T, s *Store) *Store {
			t.Helper()
			addLarge(t, s, 0, 60)
			check(t, s.db.Flush())
			old()
			sweepAll(t, s)
			check(t, s.Close())
			return openTest(t, s.dir, s.opts)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			now = epoch
			o := Options{Now: func() time.Time { return now }}
			s, err := Open(t.TempDir(), o)
			check(t, err)
			filled := c.fill(t, s)
			if filled == s {
				defer func() { check(t, s.Close()) }()
			}
			wantReclaimed(t, filled, c.left)
		})
	}
}
