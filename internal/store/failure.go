package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"bluetap/internal/hint"
)

// fault is the first thing that made the store unusable. Nothing leads back from it but opening the store again.
type fault struct {
	once sync.Once
	done chan struct{} // closed once err is set
	err  error
	late *fault // what failed, even if the store is closed: while it is being closed
}

func newFault() *fault {
	return &fault{done: make(chan struct{}), late: &fault{done: make(chan struct{})}}
}

func (f *fault) set(err error) {
	f.once.Do(func() {
		f.err = err
		close(f.done)
	})
}

// get returns the error that made the store unusable, or nil.
func (f *fault) get() error {
	select {
	case <-f.done:
		return f.err
	default:
		return nil
	}
}

// Failed is closed once the store is of no use any more: after a failure, whose reason Err tells, or Close. Whoever
// reads from a store that fails may be held for ever.
func (s *Store) Failed() <-chan struct{} { return s.fault.done }

// Err returns why Failed is closed, an ErrFailed or ErrClosed; nil before.
func (s *Store) Err() error { return s.fault.get() }

// fail records that the disk or the database underneath gave up.
func (f *fault) fail(cause error) {
	err := fmt.Errorf("%w: %w", ErrFailed, cause)
	f.set(err)
	f.late.set(err)
}

// quiet is the logger that Pebble is given. Pebble reports through Fatalf what it cannot go on from and expects the
// process to end there. It is the daemon that decides when the process ends, so Fatalf records the error and never
// returns: the goroutine may hold Pebble's locks, and neither going on nor unwinding it would be safe.
type quiet struct {
	log   *slog.Logger
	fault *fault
}

func (q quiet) Infof(format string, args ...any) {
	if q.log.Enabled(context.Background(), slog.LevelDebug) {
		q.log.Debug("pebble", "detail", fmt.Sprintf(format, args...))
	}
}

func (q quiet) Errorf(format string, args ...any) { q.Infof(format, args...) }

func (q quiet) Fatalf(format string, args ...any) {
	q.fault.fail(causeOf(fmt.Sprintf(format, args...), args))
	select {}
}

// causeOf keeps the error among args in the chain, so that a full disk can be told from other failures.
func causeOf(text string, args []any) error {
	for _, a := range args {
		if err, ok := a.(error); ok {
			return err
		}
	}
	return errors.New(text)
}

// events listens for what Pebble would try again at once and for ever (a flush onto a full disk), or end the process
// for (corruption). Both end the store: behind the first, writers would stall without a word.
func (f *fault) events() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			if errors.Is(f.get(), ErrClosed) {
				return // what Close does not wait for, and Open does again
			}
			f.stop(err)
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			f.fail(damaged(info.Details))
		},
	}
}

// guard runs one call into Pebble that writes, and takes a panic for the failure that it is.
func (s *Store) guard(op func() error) (err error) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		cause := causeOf(fmt.Sprint(r), []any{r})
		if _, bug := r.(runtime.Error); bug {
			s.opts.Log.Error("store panicked", "stack", string(debug.Stack()))
			cause = hint.New(cause, "this is a bug of bluetap and not of the disk: report it with the log, then start again: "+
				"nothing that was confirmed is lost")
		}
		s.fault.fail(cause)
		err = s.fault.late.err
	}()
	return op()
}

// call runs op, which writes, or reads for long, in a goroutine of its own: Pebble may never let that goroutine go, and
// the caller must be able to leave. That costs a commit about a microsecond. Close waits for those that are under way.
func (s *Store) call(ctx context.Context, op func() error) error {
	if err := s.fault.get(); err != nil {
		return err
	}
	done := make(chan error, 1)
	s.waiting.Go(func() { done <- s.guard(op) })
	select {
	case err := <-done:
		return err
	case <-s.fault.done:
		return s.fault.get()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
