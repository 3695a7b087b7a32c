package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

const (
	// reclaimBytes is about how much of the tables one Reclaim rewrites, and so what it may take beside them meanwhile.
	reclaimBytes = 128 << 20
	// reclaimEvery is the pause between two rounds of Reclaim while nothing is dropped.
	reclaimEvery = time.Minute
)

// reclaimer is where Reclaim stands. Only its caller uses it, but for what is atomic.
type reclaimer struct {
	rest    []keyRange    // that this round has still to go through
	began   time.Time     // the round
	swept   atomic.Uint64 // retention has looked at the events below
	dropped atomic.Bool   // something has been since the round began
}

// keyRange is from a key on, up to and without another.
type keyRange struct{ from, to []byte }

// Reclaim gives the space of what has been dropped back to the disk, and makes Run look for more. Pebble does the first
// by itself only as new data comes, and none does while the store is full: so what is in memory is written out, and
// then the ranges are compacted in which something may have been dropped, by this process or one before. A call does a
// piece of that, of a second or so; a round of them begins once something has been dropped, else once a minute. Reads
// and writes go on, beside the load on the disk. One goroutine at a time may call it.
func (s *Store) Reclaim(ctx context.Context) error {
	s.sweeper.hurry.Store(true)
	err := s.reclaim(ctx)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("reclaim space: %w", err)
	}
	return err
}

func (s *Store) reclaim(ctx context.Context) error {
	r := &s.reclaimer
	if len(r.rest) == 0 {
		if !r.dropped.Swap(false) && !r.began.IsZero() && time.Since(r.began) < reclaimEvery {
			return s.fault.get()
		}
		r.began = time.Now()
		// Flushed, the deletion of a whole range is enough for Pebble to remove tables: of scratch, of a generation.
		if err := s.call(ctx, s.db.Flush); err != nil {
			return err
		}
		var err error
		if r.rest, err = s.droppedRanges(); err != nil {
			return err
		}
	}
	for budget := uint64(reclaimBytes); len(r.rest) > 0; {
		to, size, err := s.piece(r.rest[0])
		if err != nil {
			return err
		}
		if err := s.compact(ctx, keyRange{r.rest[0].from, to}, size); err != nil {
			return err
		}
		if r.rest[0].from = to; bytes.Equal(to, r.rest[0].to) {
			r.rest = r.rest[1:]
		}
		if size >= budget {
			break
		}
		budget -= size
	}
	return s.fault.get()
}

func (s *Store) compact(ctx context.Context, r keyRange, size uint64) error {
	if size == 0 {
		return nil
	}
	return s.call(ctx, func() error { return s.db.Compact(ctx, r.from, r.to, false) })
}

// droppedRanges returns where something may have been dropped, the largest first. What retention has not come to yet
// is not among it: to write that again would be for nothing.
func (s *Store) droppedRanges() ([]keyRange, error) {
	bound := s.visible.Load()
	key, err := s.first(eventKey(0), eventKey(bound))
	if err != nil {
		return nil, err
	}
	if key != nil {
		bound = seqOf(key) // dropped before this start, below it
	}
	bound = max(bound, s.reclaimer.swept.Load())
	whole := func(space byte) keyRange { return keyRange{[]byte{space}, after([]byte{space})} }
	ranges := []keyRange{whole(spaceScratch), {eventKey(0), eventKey(bound)}}
	for _, space := range []byte{spaceResponse, spaceOutcome} {
		for w := range s.knownQueues() {
			ranges = append(ranges, keyRange{key64(space, w, 0), key64(space, w, bound)})
		}
	}
	return append(ranges, whole(spaceQueue), whole(spaceLane), whole(spaceDue)), nil
}

// piece returns the end of the beginning of a range that has about reclaimBytes of tables, and their size; 0 if none of
// the range is above the lowest level, as there is nothing to gain then.
func (s *Store) piece(r keyRange) (to []byte, size uint64, err error) {
	levels, err := s.db.SSTables(pebble.WithKeyRangeFilter(r.from, r.to))
	if err != nil {
		return nil, 0, fmt.Errorf("list tables: %w", err)
	}
	if lowest := len(levels) - 1; len(slices.Concat(levels[:lowest]...)) == 0 {
		return r.to, 0, nil
	}
	tables := slices.Concat(levels...)
	slices.SortFunc(tables, func(a, b pebble.SSTableInfo) int {
		return bytes.Compare(a.Smallest.UserKey, b.Smallest.UserKey)
	})
	for _, t := range tables {
		at := t.Smallest.UserKey
		if size >= reclaimBytes && bytes.Compare(at, r.from) > 0 && bytes.Compare(at, r.to) < 0 {
			return bytes.Clone(at), size, nil
		}
		size += t.Size
	}
	return r.to, size, nil
}
