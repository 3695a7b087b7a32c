package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// syncing knows how much of what was written is on disk. Writes are counted, so that those which do not move the
// position are waited for too.
type syncing struct {
	dirty chan struct{} // capacity 1: something was written since the last fsync began
	moved chan struct{} // capacity 1: lsn has advanced, callbacks are due

	mu        sync.Mutex // guards what follows; never held across a call into Pebble
	writes    uint64
	synced    mark
	told      uint64 // the last lsn given to callbacks
	callbacks []func(lsn uint64)
}

// mark is a point in the sequence of writes.
type mark struct {
	writes uint64
	lsn    uint64
}

func (y *syncing) init() {
	y.dirty = make(chan struct{}, 1)
	y.moved = make(chan struct{}, 1)
}

func (y *syncing) wrote() {
	y.mu.Lock()
	y.writes++
	y.mu.Unlock()
	signal(y.dirty)
}

// reached records that everything up to m is on disk.
func (y *syncing) reached(m mark) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.synced.writes = max(y.synced.writes, m.writes)
	if m.lsn > y.synced.lsn {
		y.synced.lsn = m.lsn
		signal(y.moved)
	}
}

func (y *syncing) get() mark {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.synced
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// mark returns the present point. The position is read first: what was applied before has been written before.
func (s *Store) mark() mark {
	lsn := s.applied.Load()
	s.sync.mu.Lock()
	defer s.sync.mu.Unlock()
	return mark{writes: s.sync.writes, lsn: lsn}
}

// Synced returns the position up to which everything is on disk. It is never above Applied. Zero means that no
// position has been stored yet.
func (s *Store) Synced() uint64 { return s.sync.get().lsn }

// Applied returns the position up to which everything has been applied, on disk or not. Zero means none yet.
func (s *Store) Applied() uint64 { return s.applied.Load() }

// OnSync registers f to be called by Run, with the new Synced, after each fsync that moved it. It must be called
// before Run, and f must return soon: the next fsync waits for it.
func (s *Store) OnSync(f func(lsn uint64)) {
	s.sync.mu.Lock()
	defer s.sync.mu.Unlock()
	s.sync.callbacks = append(s.sync.callbacks, f)
}

// SyncNow blocks until everything that was applied before the call is on disk. It works without Run too.
func (s *Store) SyncNow(ctx context.Context) error {
	m := s.mark()
	if got := s.sync.get(); got.writes >= m.writes && got.lsn >= m.lsn {
		return s.fault.get()
	}
	if err := s.call(ctx, s.syncLog); err != nil {
		return fmt.Errorf("sync store: %w", err)
	}
	s.sync.reached(m)
	return nil
}

// syncAll is SyncNow for those that cannot be asked to stop waiting.
func (s *Store) syncAll() error { return s.SyncNow(context.Background()) }

// syncLog appends an empty record to the write-ahead log and waits for its fsync, and so for all before it.
func (s *Store) syncLog() error { return s.db.LogData(nil, pebble.Sync) }

// Run makes durable what is applied and drops what retention no longer keeps, until ctx ends or the store fails. It
// returns nil after ctx, having synced once more. After a failure it returns the error at once; a goroutine that Pebble
// holds may be left behind, and may still call what OnSync registered. An idle store costs nothing but one look a
// minute.
func (s *Store) Run(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.loop(ctx, s.SyncNow, s.sweep) }()
	select {
	case err := <-done:
		return err
	case <-s.fault.done: // a read of the loop may wait for ever for a lock that the failure has kept
		return s.fault.get()
	}
}

// loop sweeps soon after it begins: a daemon that never lives as long as the pause between two sweeps keeps to its
// retention too.
func (s *Store) loop(
	ctx context.Context, fsync func(context.Context) error, sweep func() (more bool, err error),
) error {
	next := time.NewTimer(sweepSoon)
	defer next.Stop()
	var pending <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			err := fsync(context.WithoutCancel(ctx))
			s.notifySynced()
			return err
		case <-s.fault.done:
			return s.fault.get()
		case <-s.sync.dirty:
			if pending == nil {
				pending = time.After(s.opts.SyncEvery)
			}
		case <-pending:
			pending = nil
			if err := fsync(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		case <-s.sync.moved:
			s.notifySynced()
		case <-next.C:
			more, err := sweep()
			if err != nil {
				return fmt.Errorf("sweep store: %w", err)
			}
			next.Reset(s.nextSweep(more))
		}
	}
}

// notifySynced tells what was synced, if it has moved since the last time. Only Run calls it.
func (s *Store) notifySynced() {
	y := &s.sync
	y.mu.Lock()
	callbacks, lsn, told := y.callbacks, y.synced.lsn, y.told
	y.told = lsn
	y.mu.Unlock()
	if lsn == told {
		return
	}
	for _, f := range callbacks {
		f(lsn)
	}
}
