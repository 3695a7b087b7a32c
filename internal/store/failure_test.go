package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"bluetap/internal/hint"
)

// patience bounds every wait of a test.
const patience = 3 * time.Minute

// failing is a file system on which some operations fail once it is told so.
type failing struct {
	mem  *vfs.MemFS
	fs   vfs.FS
	on   atomic.Bool
	kind func(errorfs.Op) bool
}

func newFailing(err error, kind func(errorfs.Op) bool) *failing {
	f := &failing{mem: vfs.NewCrashableMem(), kind: kind}
	f.fs = errorfs.Wrap(f.mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if f.on.Load() && f.kind(op) {
			return err
		}
		return nil
	}))
	return f
}

func named(part string) func(errorfs.Op) bool {
	return func(op errorfs.Op) bool { return strings.Contains(op.Path, part) }
}

func both(a, b func(errorfs.Op) bool) func(errorfs.Op) bool {
	return func(op errorfs.Op) bool { return a(op) && b(op) }
}

func isLog(op errorfs.Op) bool { return strings.HasSuffix(op.Path, ".log") }

func isCreate(op errorfs.Op) bool {
	return op.Kind == errorfs.OpCreate || op.Kind == errorfs.OpReuseForWrite
}

func isSync(op errorfs.Op) bool {
	switch op.Kind {
	case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo, errorfs.OpFileFlush:
		return true
	}
	return false
}

func isWrite(op errorfs.Op) bool {
	return isCreate(op) || op.Kind == errorfs.OpFileWrite || op.Kind == errorfs.OpFileWriteAt
}

// TestFailure breaks the disk under a running store in each way that makes Pebble end the process, panic or try again
// for ever. Run must say why, later calls must return, Close too, and on a mended disk everything synced is there.
// Goroutines of Pebble stay blocked for good, so that there is no leak check here.
func TestFailure(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		kind func(errorfs.Op) bool
	}{
		"log write, disk full": {syscall.ENOSPC, both(isLog, isWrite)},
		"log fsync, i/o error": {syscall.EIO, both(isLog, isSync)},
		"new log, disk full":   {syscall.ENOSPC, both(isLog, isCreate)},
		"table, disk full":     {syscall.ENOSPC, both(named(".sst"), isWrite)},
		"manifest, i/o error":  {syscall.EIO, both(named("MANIFEST"), isSync)},
		"writes, disk full":    {syscall.ENOSPC, isWrite},
		"new files, disk full": {syscall.ENOSPC, isCreate},
		"everything":           {syscall.EIO, func(op errorfs.Op) bool { return isWrite(op) || isSync(op) }},
	} {
		t.Run(name, func(t *testing.T) { failOnce(t, newFailing(c.err, c.kind), c.err) })
	}
}

func failOnce(t *testing.T, f *failing, cause error) {
	t.Helper()
	s, err := Open("state", Options{FS: f.fs, SyncEvery: time.Millisecond})
	check(t, err)
	run := make(chan error, 1)
	go func() { run <- s.Run(context.Background()) }()
	apply(t, s, 1, 1, []Change{{Table: 1, Key: "before", After: row("1", "")}}, "before")
	check(t, s.SyncNow(t.Context()))
	f.on.Store(true)
	writers := make(chan struct{})
	go func() {
		defer close(writers)
		fill(s)
	}()
	got := receive(t, run)
	if !errors.Is(got, ErrFailed) || !errors.Is(got, cause) {
		t.Fatalf("run returned %v, want ErrFailed and %v", got, cause)
	}
	select {
	case <-writers:
	case <-time.After(patience):
		t.Fatal("a commit that was under way is still blocked after ", patience)
	}
	wantLaterFail(t, s)
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	check(t, receive(t, closed))

	synced := s.Synced()
	again := openTest(t, "state", Options{FS: f.mem.CrashClone(vfs.CrashCloneCfg{})})
	want(t, "row", mirrored(t, again, 1)["before"], "1")
	if again.Applied() < synced {
		t.Fatalf("applied %d after the failure, but %d had been synced", again.Applied(), synced)
	}
	apply(t, again, again.Applied()+1, 1, nil, "works")
}

func wantLaterFail(t *testing.T, s *Store) {
	t.Helper()
	for name, call := range map[string]func() error{
		"row":     func() error { _, err := s.Mirror().Row(1, "before"); return err },
		"pending": func() error { _, err := s.Pending(1, 0, 1); return err },
		"advance": func() error { return s.Advance(1 << 40) },
		"state":   func() error { return s.SaveState(State{}) },
		"sync":    func() error { return s.SyncNow(context.Background()) },
		"load":    func() error { l := s.NewLoader(9); return errors.Join(l.Add(1, "a", Row{}), l.Close()) },
	} {
		done := make(chan error, 1)
		go func() { done <- call() }()
		if err := receive(t, done); !errors.Is(err, ErrFailed) {
			t.Fatalf("%s: got %v, want ErrFailed", name, err)
		}
	}
}

// fill applies transactions until the store fails: enough to go through log files and memtables.
func fill(s *Store) {
	value := strings.Repeat("x", 1<<20)
	for end := uint64(2); end < 500; end++ {
		o := s.NewOverlay(1 << 30)
		if o.Set(1, fmt.Sprint(end), nil, row(value, "")) != nil {
			return
		}
		tx, err := s.Begin(o, end, epoch)
		if err != nil || tx.Commit() != nil {
			return
		}
	}
}

// receive returns what comes, or the zero value of a channel that is closed.
func receive[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatal("still blocked after ", patience)
	}
	return v
}

func TestFailureAtOpen(t *testing.T) {
	f := newFailing(syscall.ENOSPC, func(op errorfs.Op) bool { return isWrite(op) || isSync(op) })
	s, err := Open("state", Options{FS: f.fs})
	check(t, err)
	apply(t, s, 1, 1, nil, "e")
	check(t, s.Close())
	f.on.Store(true)
	opened := make(chan error, 1)
	go func() {
		_, err := Open("state", Options{FS: f.fs})
		opened <- err
	}()
	wantHinted(t, receive(t, opened), syscall.ENOSPC)
}

// TestFailureAtClose has the disk fail once Close has synced: Pebble, which syncs once more, never comes back then.
func TestFailureAtClose(t *testing.T) {
	var syncs atomic.Int32
	f := newFailing(syscall.EIO, func(op errorfs.Op) bool { return isLog(op) && isSync(op) && syncs.Add(1) > 1 })
	s, err := Open("state", Options{FS: f.fs})
	check(t, err)
	apply(t, s, 1, 1, nil, "e")
	f.on.Store(true)
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	if err := receive(t, closed); !errors.Is(err, ErrFailed) || !errors.Is(err, syscall.EIO) {
		t.Fatalf("got %v, want ErrFailed and EIO", err)
	}
	check(t, s.Close())
}

// TestFailureAtAbandon has an Open that is refused, and the disk fail while it closes what it had opened.
func TestFailureAtAbandon(t *testing.T) {
	var syncs atomic.Int32
	f := newFailing(syscall.EIO, func(op errorfs.Op) bool { return isLog(op) && isSync(op) && syncs.Add(1) > 0 })
	s, err := Open("state", Options{FS: f.fs})
	check(t, err)
	check(t, s.putSync(metaKey(metaFormat), []byte{format + 1}))
	check(t, s.Close())
	f.on.Store(true)
	opened := make(chan error, 1)
	go func() {
		_, err := Open("state", Options{FS: f.fs})
		opened <- err
	}()
	wantHinted(t, receive(t, opened), syscall.EIO)
}

// TestUnreadableManifest has a manifest that may not be read, or cannot be.
func TestUnreadableManifest(t *testing.T) {
	for _, cause := range []error{syscall.EACCES, syscall.EIO} {
		f := newFailing(cause, func(op errorfs.Op) bool {
			return named("MANIFEST")(op) && (op.Kind == errorfs.OpOpen || op.Kind == errorfs.OpFileRead)
		})
		s, err := Open("state", Options{FS: f.fs})
		check(t, err)
		check(t, s.Close())
		f.on.Store(true)
		_, err = Open("state", Options{FS: f.fs})
		wantHinted(t, err, cause)
	}
}

// TestFailureWhileSweeping has a flush fail, which keeps Pebble's lock, while a sweep is within a read that needs the
// lock to end: the set of tables that it reads has been replaced since by the second flush, and whoever is the last to
// read such a set removes it.
func TestFailureWhileSweeping(t *testing.T) {
	var holds, fails atomic.Bool
	reads, release := make(chan struct{}), make(chan struct{})
	goOn := sync.OnceFunc(func() { close(release) })
	t.Cleanup(goOn)
	isTable := named(".sst")
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		switch {
		case isTable(op) && op.Kind == errorfs.OpFileReadAt && holds.Swap(false):
			close(reads)
			<-release
		case isTable(op) && isWrite(op) && fails.Load():
			return syscall.EIO
		}
		return nil
	}))
	s, err := Open("state", Options{FS: fs, Retention: time.Second,
		Now: func() time.Time { return epoch.Add(1000 * time.Hour) }})
	check(t, err)
	apply(t, s, 1, 1, nil, "old")
	check(t, s.db.Flush())
	holds.Store(true)
	run := make(chan error, 1)
	go func() { run <- s.Run(context.Background()) }()
	receive(t, reads)
	apply(t, s, 2, 1, nil, "later")
	check(t, s.db.Flush())
	fails.Store(true)
	apply(t, s, 3, 1, nil, "last")
	_, err = s.db.AsyncFlush()
	check(t, err)
	receive(t, s.Failed())
	goOn()
	if err := receive(t, run); !errors.Is(err, ErrFailed) || !errors.Is(err, syscall.EIO) {
		t.Fatalf("run returned %v, want ErrFailed and EIO", err)
	}
	if !errors.Is(s.Err(), ErrFailed) {
		t.Errorf("got %v, want ErrFailed", s.Err())
	}
	check(t, s.Close())
}

// TestBugIsNotTheDisk holds that a mistake of our own is not taken for a disk that gave up, and that its place is told.
func TestBugIsNotTheDisk(t *testing.T) {
	var log bytes.Buffer
	s, err := Open("state", Options{FS: vfs.NewMem(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	check(t, err)
	var none []int
	err = s.guard(func() error { none[len(none)]++; return nil })
	if !errors.Is(err, ErrFailed) || !strings.HasPrefix(hint.Of(err), "this is a bug of bluetap") {
		t.Errorf("got %v, with the advice %q", err, hint.Of(err))
	}
	if !strings.Contains(log.String(), "TestBugIsNotTheDisk") {
		t.Errorf("no stack in the log: %s", log.String())
	}
	check(t, s.Close())
}
