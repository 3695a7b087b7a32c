package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"bluetap/internal/hint"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Open opens the store in dir, which it creates with mode 0700 if need be, and takes its lock. It starts no goroutine
// of its own (Pebble has some); what a crash interrupted is rolled back, or kept for Resume. The error is ErrLocked,
// ErrFormat or ErrDamaged where it is one of these, with a hint.
func Open(dir string, o Options) (*Store, error) { return open(dir, o, false) }

// OpenReadOnly opens an existing store for reading, for commands while no daemon runs. It takes the lock all the same.
// Where there is none the error is ErrNone, with a hint.
func OpenReadOnly(dir string, o Options) (*Store, error) { return open(dir, o, true) }

func open(dir string, o Options, readOnly bool) (_ *Store, err error) {
	o = o.withDefaults()
	if readOnly {
		if names, err := o.FS.List(dir); errors.Is(err, fs.ErrNotExist) || err == nil && !isStore(names) {
			return nil, none(dir)
		}
	} else if err := makeDir(dir, o); err != nil {
		return nil, judge(fmt.Errorf("create state directory: %w", err))
	}
	lock, err := lockDir(dir, o)
	if err != nil {
		return nil, judge(fmt.Errorf("open state: %w", err))
	}
	s := &Store{
		dir: dir, opts: o, lock: lock, fault: newFault(), readOnly: readOnly,
		maxBatch: maxBatch, chunk: chunkBytes, promote: promoteBytes, scans: cursorScans, table: eventTableBytes,
		rows: newCache[cachedRow](o.RowCacheBytes), events: newCache[uint64](o.EventCacheBytes),
		writer: make(chan struct{}, 1),
		queues: map[uint32]*queue{}, numbers: map[string]uint32{},
		floors: floors{by: map[laneID]uint64{}},
	}
	s.sync.init()
	if err := s.openDB(); err != nil {
		return nil, s.abandon(err, nil)
	}
	// In a goroutine of its own: a compaction that fails meanwhile may keep a lock that a read waits for.
	if err := s.call(context.Background(), s.load); err != nil {
		return nil, s.abandon(judge(err), s.db)
	}
	return s, nil
}

// none says that there is no store in dir.
func none(dir string) error {
	return hint.New(fmt.Errorf("%w: %s", ErrNone, dir), "start the daemon once: bluetap run --config FILE")
}

// makeDir creates dir so that a power cut does not lose it with all that is in it.
func makeDir(dir string, o Options) error {
	if _, err := o.FS.Stat(dir); err == nil {
		return nil
	}
	if err := o.FS.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	parent, err := o.FS.OpenDir(o.FS.PathDir(dir))
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}

// abandon ends an Open that did not succeed. After a failure the lock is kept: Pebble may still be at work.
func (s *Store) abandon(err error, db *pebble.DB) error {
	err = fmt.Errorf("open state in %s: %w", s.dir, err)
	if s.fault.get() != nil {
		return err
	}
	return errors.Join(err, s.closeAll(db))
}

// lockDir tells a lock that somebody holds from a directory that cannot be locked: the first is a plain error or the
// errno of fcntl, the second a path error or another errno.
func lockDir(dir string, o Options) (*pebble.Lock, error) {
	lock, err := pebble.LockDirectory(dir, o.FS)
	if err == nil {
		return lock, nil
	}
	var path *fs.PathError
	var errno syscall.Errno
	if errors.As(err, &path) ||
		errors.As(err, &errno) && errno != syscall.EAGAIN && errno != syscall.EACCES {
		return nil, fmt.Errorf("lock state directory: %w", err)
	}
	who := ""
	if errno != 0 && o.FS == vfs.Default {
		who = holder(o.FS.PathJoin(dir, "LOCK"))
	}
	return nil, hint.New(fmt.Errorf("%w%s: %s", ErrLocked, who, dir),
		"wait for that process to end, or stop it")
}

func (s *Store) openDB() error {
	for _, check := range []func() error{s.checkFiles, s.checkManifest} {
		if err := check(); err != nil {
			return judge(err)
		}
	}
	if !s.readOnly {
		if err := s.removeLoads(); err != nil {
			return judge(err)
		}
	}
	err := s.call(context.Background(), func() (err error) {
		s.db, err = pebble.Open(s.dir, s.pebbleOptions())
		return err
	})
	if errors.Is(err, pebble.ErrDBDoesNotExist) {
		return none(s.dir)
	}
	var errno syscall.Errno
	refused := errors.As(err, &errno) && errno != syscall.ENOENT
	if err == nil || refused || errors.Is(err, ErrFailed) {
		return judge(err)
	}
	return judge(damaged(err)) // files that are missing, or contradict each other
}

// judge adds to an error what it means for the state, and what can be done.
func judge(err error) error {
	switch {
	case err == nil || hint.Of(err) != "":
		return err
	case pebble.IsCorruptionError(err) || errors.Is(err, ErrDamaged):
		return damaged(err)
	case errors.Is(err, syscall.ENOSPC):
		return hint.New(err, "free space on the disk of state.dir, then start again")
	}
	return hint.New(err, "see that the user of bluetap may read and write what is under state.dir, "+
		"and that the disk works")
}

// damaged adds what a person can do about state that cannot be read.
func damaged(err error) error {
	if !errors.Is(err, ErrDamaged) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return hint.New(err, "move the state directory away, run bluetap teardown --config FILE, and start anew: what "+
		"changed in between, and what was not delivered yet, is not told")
}

// pebbleOptions suits a sidecar on two cores: three memtables of 16 MiB at most, bloom filters on all levels as most
// reads are of single keys that may be absent.
func (s *Store) pebbleOptions() *pebble.Options {
	o := &pebble.Options{
		CacheSize:                   s.opts.CacheBytes,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
		ErrorIfNotExists:            s.readOnly,
		EventListener:               s.fault.events(),
		FormatMajorVersion:          pebble.FormatTableFormatV6,
		FS:                          logFS{s.opts.FS, s.fault},
		Lock:                        s.lock,
		Logger:                      quiet{log: s.opts.Log, fault: s.fault},
		MaxOpenFiles:                500,
		MemTableSize:                16 << 20,
		MemTableStopWritesThreshold: 3,
		ReadOnly:                    s.readOnly,
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return o
}

const loadSuffix = ".load"

// removeLoads removes the files of Loaders that a crash interrupted.
func (s *Store) removeLoads() error {
	names, err := s.opts.FS.List(s.dir)
	if err != nil {
		return fmt.Errorf("list state directory: %w", err)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, loadSuffix) {
			continue
		}
		if err := s.opts.FS.Remove(s.opts.FS.PathJoin(s.dir, name)); err != nil {
			return fmt.Errorf("remove unfinished load: %w", err)
		}
	}
	return nil
}

// load reads into memory what is kept there, and mends what a crash interrupted.
func (s *Store) load() error {
	steps := []func() error{s.loadFormat, s.loadState, s.loadPosition, s.rollBack, s.dropScratch, s.loadQueues}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
