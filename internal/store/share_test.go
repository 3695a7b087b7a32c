package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestOverlayBytes counts what lies on disk of changes: rows that are written again are there once, a row with
// references once more for each, and after Resume it is the same.
func TestOverlayBytes(t *testing.T) {
	s := openTest(t, "state", Options{FS: vfs.NewMem()})
	o := s.NewOverlay(1)
	set := func(key string, after *Row) {
		t.Helper()
		check(t, o.Set(1, key, row("before", "p"), after))
	}
	for range 10 {
		set("a", row("after1", ""))
	}
	once := o.Bytes()
	want(t, "bytes", once, int64(len("a"+"before"+"p"+"after1")))
	set("a", row("after1", "parent"))
	want(t, "bytes with a reference", o.Bytes(), once+int64(len("parent"+"parent"+"a"+"after1")))
	set("a", row("after1", ""))
	want(t, "bytes again", o.Bytes(), once)
	set("b", row("before", "p"))
	want(t, "rows that differ", o.Differing()[1], 1)
	set("b", row("after2", "p"))
	want(t, "rows that differ then", o.Differing()[1], 2)

	whole := o.Bytes()
	tx, err := s.Begin(o, 10, time.Unix(1, 0))
	check(t, err)
	check(t, tx.Add(Event{ID: "e", Values: []byte(fmt.Sprintf("%0100d", 1))}, []uint64{1}, []uint32{1}))
	if kept := tx.Kept(); kept.Bytes < 100 || kept.Disk < 60 {
		t.Errorf("an event of more than 100 bytes takes %+v", kept)
	}
	again, _, err := s.Resume(t.Context())
	check(t, err)
	want(t, "bytes after Resume", again.Bytes(), whole)
	want(t, "rows that differ after Resume", again.Differing()[1], 2)
}

// TestTxOverflowed tells of a queue that a transaction fills while it is still added to, and not of one that was over
// its limit before.
func TestTxOverflowed(t *testing.T) {
	s := openTest(t, "state", Options{FS: vfs.NewMem()})
	for w := range uint32(2) {
		s.LimitQueue(1+w, QueueLimit{Bytes: 100})
	}
	add := func(tx *Tx, webhook uint32) {
		t.Helper()
		check(t, tx.Add(Event{ID: "e", Values: make([]byte, 200)}, []uint64{1}, []uint32{webhook}))
	}
	tx, err := s.Begin(s.NewOverlay(1<<20), 10, time.Unix(1, 0))
	check(t, err)
	add(tx, 1)
	want(t, "webhooks that overflowed", len(tx.Overflowed()), 0)
	add(tx, 1)
	want(t, "webhooks that overflowed then", fmt.Sprint(tx.Overflowed()), "[1]")
	check(t, tx.Commit())
	tx, err = s.Begin(s.NewOverlay(1<<20), 20, time.Unix(2, 0))
	check(t, err)
	add(tx, 1)
	add(tx, 2)
	add(tx, 2)
	want(t, "webhooks that overflow next", fmt.Sprint(tx.Overflowed()), "[2]")
	check(t, tx.Commit())
}
