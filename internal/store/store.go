// Package store keeps what bluetap must not lose, in one embedded Pebble database: the mirror of the rows, the events
// that were made of them, a queue per webhook with its delivery log, and the position in the source.
//
// It knows nothing of Postgres, of Blue's rules or of HTTP: a table is a uint8, a position a uint64, rows and events
// are opaque bytes. keys.go is the layout on disk.
//
// One goroutine applies transactions ([Store.Begin]); any number read events and record outcomes. Commits do not wait
// for the disk: [Store.Run] makes durable what was applied, at most Options.SyncEvery later. Always
//
//	Synced ≤ Applied
//
// and what a crash leaves behind is the state after some earlier write, never a mixture: an outcome never survives
// without its event, a position never without what was applied before it.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Errors that callers tell apart.
var (
	// ErrLocked means that another process, or this one, has the store open.
	ErrLocked = errors.New("state is in use by another process")
	// ErrNone means that the directory holds no state.
	ErrNone = errors.New("there is no state yet")
	// ErrFormat means that the state was written by a newer version.
	ErrFormat = errors.New("state was written by a newer version")
	// ErrDamaged means that the state on disk contradicts itself.
	ErrDamaged = errors.New("state is damaged")
	// ErrFailed means that the disk or the database gave up while the store was open; the cause is wrapped beside it
	// (syscall.ENOSPC for a full disk). Every later call returns the same error. Opening again after the cause has
	// been mended loses nothing that was synced.
	ErrFailed = errors.New("store failed")
	// ErrClosed is returned by calls after Close.
	ErrClosed = errors.New("store is closed")
	// ErrTooLarge means that one write would exceed 2 GiB. Nothing of it was written.
	ErrTooLarge = errors.New("write is too large")
	// ErrNotFound means that the event has been dropped by retention, or never existed.
	ErrNotFound = errors.New("event not found")
)

// Options are the knobs of a Store. The zero value of each field means its default.
type Options struct {
	// Log gets Pebble's own messages at debug level. Nil discards them.
	Log *slog.Logger
	// SyncEvery is the longest that an applied write waits for its fsync. Defaults to 200 ms.
	SyncEvery time.Duration
	// CacheBytes is the size of the block cache; memtables are taken out of it. Defaults to 64 MiB.
	CacheBytes int64
	// RowCacheBytes bounds the mirrored rows that are kept in memory, ready for composing. Defaults to 32 MiB.
	RowCacheBytes int64
	// EventCacheBytes bounds the newest events that are kept in memory for their delivery. Defaults to 16 MiB.
	EventCacheBytes int64
	// MaxBytes is what the store is to take on disk; it is for Full and Room, which the caller asks. Defaults to 10 GiB.
	MaxBytes uint64
	// Retention is how long an event is kept for replay, from its commit, once no webhook has it pending or dead.
	// Defaults to 72 h.
	Retention time.Duration
	// DeadRetention is how long a dead letter is kept, from its death, unless KeepDead says otherwise for its webhook.
	// Defaults to 720 h.
	DeadRetention time.Duration
	// FS is the file system. Nil is the real one; tests inject errors and crashes.
	FS vfs.FS
	// Now is the clock of retention. Nil is time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.SyncEvery <= 0 {
		o.SyncEvery = 200 * time.Millisecond
	}
	if o.CacheBytes <= 0 {
		o.CacheBytes = 64 << 20
	}
	if o.RowCacheBytes <= 0 {
		o.RowCacheBytes = 32 << 20
	}
	if o.EventCacheBytes <= 0 {
		o.EventCacheBytes = 16 << 20
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 10 << 30
	}
	if o.Retention <= 0 {
		o.Retention = 72 * time.Hour
	}
	if o.DeadRetention <= 0 {
		o.DeadRetention = 720 * time.Hour
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// maxBatch bounds one write; Pebble panics at 4 GiB.
const maxBatch = 2 << 30

// chunkBytes is the size at which long writes are cut into batches.
const chunkBytes = 4 << 20

// Store is an open database. Its methods may be called from any goroutine, except that only one may apply
// transactions: Begin with what follows from it, Advance, and loading generations that are not current.
type Store struct {
	dir      string
	opts     Options
	db       *pebble.DB
	lock     *pebble.Lock
	fault    *fault
	waiting  sync.WaitGroup // goroutines of call
	writer   chan struct{}  // held while a batch is made from what is stored, and committed
	readOnly bool
	maxBatch int // maxBatch, chunkBytes, promoteBytes, cursorScans and eventTableBytes, but in tests
	chunk    int
	promote  int
	scans    int
	table    int
	files    atomic.Uint64 // numbers the files of Loaders
	overlays atomic.Uint32 // numbers the scratch ranges of Overlays

	rows    *cache[cachedRow]
	events  *cache[uint64] // encoded, by sequence number
	applied atomic.Uint64  // end of the last applied transaction
	visible atomic.Uint64  // events below may be delivered; also the next sequence number
	staged  atomic.Bool    // there is a stagedMark
	rules   string         // see SetRules
	sync    syncing
	written atomic.Uint64 // bytes of what was committed or ingested

	stateMu sync.Mutex // guards state; never held across a call into Pebble
	state   State

	queueMu sync.Mutex // guards queues and numbers; never held across a call into Pebble
	queues  map[uint32]*queue
	numbers map[string]uint32

	floors    floors
	sweeper   sweeper
	reclaimer reclaimer
	onQueued  []func(webhooks []uint32)
}

// Close syncs what was applied and closes the database. Other calls must have returned, Run too. After a failure it
// touches nothing and returns nil: the process is to end, and keeps the lock until then. A disk that fails while it
// closes is an error, after which the lock is kept likewise. A second Close is a no-op.
func (s *Store) Close() error {
	select {
	case s.writer <- struct{}{}:
	case <-s.fault.done:
		return nil
	}
	idle := make(chan struct{})
	go func() {
		s.waiting.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-s.fault.done:
		return nil
	}
	select {
	case <-s.fault.done: // of several that are ready, select took any
		return nil
	default:
	}
	if !s.readOnly {
		if err := s.call(context.Background(), s.syncLog); err != nil {
			return fmt.Errorf("close store: %w", err)
		}
	}
	if err := s.closeAll(s.db); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}

// closeAll closes the database, which may be nil, and then gives up the lock. Pebble writes meanwhile, so that the disk
// may fail once more and hold it for ever, as in call: then the lock is kept.
func (s *Store) closeAll(db *pebble.DB) error {
	s.fault.set(ErrClosed)
	done := make(chan error, 1)
	go func() {
		done <- s.guard(func() (err error) {
			if db != nil {
				err = db.Close()
			}
			return errors.Join(err, s.lock.Close())
		})
	}()
	select {
	case err := <-done:
		return err
	case <-s.fault.late.done:
		return s.fault.late.err
	}
}

// Size returns the bytes that the store takes on disk.
func (s *Store) Size() (uint64, error) {
	if err := s.fault.get(); err != nil {
		return 0, err
	}
	return s.db.Metrics().DiskSpaceUsage(), nil
}
