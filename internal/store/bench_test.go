package store

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"
)

// running opens a store on disk and runs it, as the daemon does.
func running(b *testing.B) *Store {
	b.Helper()
	s := openTest(b, b.TempDir(), Options{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		check(b, <-done)
	})
	return s
}

func benchApply(b *testing.B, s *Store, n int) {
	b.Helper()
	value, values := bytes.Repeat([]byte("r"), 600), bytes.Repeat([]byte("v"), 2200)
	for i := range n {
		o := s.NewOverlay(8 << 20)
		after := &Row{Value: value, Refs: []Ref{{Index: 1, Parent: fmt.Sprint("list", i%100)}}}
		check(b, o.Set(1, fmt.Sprintf("todo%08d", i), nil, after))
		end := s.Applied() + 1
		tx, err := s.Begin(o, end, time.Time{})
		check(b, err)
		ev := Event{ID: "evt_0badcafe_0000000000000001_0123456789ab", Type: "TODO_CREATED", LSN: end, Values: values}
		check(b, tx.Add(ev, []uint64{uint64(i)}, []uint32{1}))
		check(b, tx.Commit())
	}
}

// BenchmarkApply applies a row of 600 B with one event of 2.2 kB for one webhook.
func BenchmarkApply(b *testing.B) {
	s := running(b)
	b.ReportAllocs()
	b.ResetTimer()
	benchApply(b, s, b.N)
}

// BenchmarkFinish takes an event from the queue and ends it, as a delivery does.
func BenchmarkFinish(b *testing.B) {
	s := running(b)
	benchApply(b, s, b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for from := uint64(0); ; {
		entries, err := s.Pending(1, from, 64)
		check(b, err)
		if len(entries) == 0 {
			return
		}
		for _, e := range entries {
			if ok, err := s.Heads(1, e); err != nil || !ok {
				b.Fatal(ok, err)
			}
			_, err := s.Event(e.Seq)
			check(b, err)
			check(b, s.Finish(1, e, Delivery{Status: StatusDelivered, At: time.Now(), Attempts: 1, Code: 200}))
			from = e.Seq + 1
		}
	}
}

// BenchmarkHotLane drains one lane in order: the head of a lane must not be searched behind all that has left it.
func BenchmarkHotLane(b *testing.B) {
	s := running(b)
	for i := range uint64(b.N) {
		o := s.NewOverlay(1 << 20)
		tx, err := s.Begin(o, i+1, time.Time{})
		check(b, err)
		check(b, tx.Add(event("e", i), []uint64{7}, []uint32{1}))
		check(b, tx.Commit())
	}
	b.ResetTimer()
	e, ok, err := s.Following(1, 7, 0)
	for ; ok; e, ok, err = s.Following(1, 7, e.Seq) {
		heads, err := s.Heads(1, e)
		if err != nil || !heads {
			b.Fatal(heads, err)
		}
		check(b, s.Finish(1, e, Delivery{Status: StatusDelivered}))
	}
	check(b, err)
}

// BenchmarkRow reads single rows of 100,000 that were loaded as a snapshot.
func BenchmarkRow(b *testing.B) {
	s := running(b)
	l := s.NewLoader(0)
	const rows = 100_000
	for i := range rows {
		check(b, l.Add(1, fmt.Sprint("key", i), Row{Value: bytes.Repeat([]byte("r"), 600)}))
	}
	check(b, l.Close())
	m := s.Mirror()
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if v, err := m.Row(1, fmt.Sprint("key", i*7919%rows)); v == nil {
			b.Fatal(err)
		}
	}
}
