package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// unstagings are how far a staged transaction may have come when it is undone.
var unstagings = map[string]func(l large, tx *Tx) error{
	"staged": func(large, *Tx) error { return nil },
	"mapped in part": func(l large, tx *Tx) error {
		if err := l.add(tx); err != nil {
			return err
		}
		return tx.append()
	},
	"applied in part": func(l large, tx *Tx) error {
		if err := l.add(tx); err != nil {
			return err
		}
		if err := tx.applyStaged(); err != nil {
			return err
		}
		return tx.store.commit(tx.mirrorOnly(), nil, nil)
	},
}

// mirrorOnly returns the last piece without what ends the transaction.
func (t *Tx) mirrorOnly() *batch {
	b := t.store.newBatch()
	for c, err := range t.overlay.Changes() {
		if err != nil {
			b.err = err
			break
		}
		b.write(t.mark.Generation, c)
	}
	return b
}

// stagedOn returns a file system with a transaction that was left so far.
func stagedOn(t *testing.T, fs vfs.FS, far func(l large, tx *Tx) error) {
	t.Helper()
	l := large{budget: 2000}
	s := l.open(t, fs)
	seed(t, s)
	o, err := l.overlay(s)
	check(t, err)
	tx, err := s.Begin(o, 20, epoch)
	check(t, err)
	check(t, far(l, tx))
	check(t, s.Close())
}

// wantUndone wants all of the mirror and the queues to be as seed left them.
func wantUndone(t *testing.T, s *Store) {
	t.Helper()
	large{}.wantBefore(t, s)
	want(t, "applied", s.Applied(), 10)
	rows := mirrored(t, s, 1)
	want(t, "rows", len(rows), 100)
	for key, value := range rows {
		want(t, key, value, "old")
	}
	for parent, n := range map[string]int{"p": 100, "q": 0} {
		children := 0
		for _, err := range s.Mirror().Children(1, parent) {
			check(t, err)
			children++
		}
		want(t, "children of "+parent, children, n)
	}
	_, ok, err := s.Staged()
	check(t, err)
	want(t, "staged", ok, false)
}

// TestUnstage undoes a staged transaction, however far it came, and applies it anew.
func TestUnstage(t *testing.T) {
	for name, far := range unstagings {
		t.Run(name, func(t *testing.T) {
			fs, l := vfs.NewMem(), large{budget: 2000}
			stagedOn(t, fs, far)
			s := l.open(t, fs)
			check(t, s.Unstage(t.Context()))
			wantUndone(t, s)
			if err := s.Unstage(t.Context()); !errors.Is(err, ErrNotFound) {
				t.Errorf("nothing to undo: got %v, want ErrNotFound", err)
			}
			check(t, s.Close())
			s = l.open(t, fs)
			wantUndone(t, s)
			check(t, l.run(s))
			l.wantAfter(t, s)
			check(t, s.Close())
		})
	}
}

// TestUnstageCrash crashes in each write of it: it is undone again, or resumed after all.
func TestUnstageCrash(t *testing.T) {
	for name, far := range unstagings {
		t.Run(name, func(t *testing.T) {
			clones := unstageClones(t, far)
			for n, fs := range clones {
				l := large{budget: 2000}
				s := l.open(t, fs)
				if _, ok, err := s.Staged(); ok && n%2 == 0 {
					check(t, err)
					check(t, s.Unstage(t.Context()))
					wantUndone(t, s)
				}
				l.finish(t, s)
				l.wantAfter(t, s)
				check(t, s.Close())
			}
			t.Log(len(clones), "crashes")
		})
	}
}

// unstageClones undoes a transaction on a file system that is copied, as a power cut would leave it, at each write.
func unstageClones(t *testing.T, far func(l large, tx *Tx) error) []vfs.FS {
	t.Helper()
	var (
		mu     sync.Mutex // Pebble writes from several goroutines
		clones []vfs.FS
		record bool
	)
	mem := vfs.NewCrashableMem()
	stagedOn(t, mem, far)
	s := large{}.open(t, errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		if record && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			clones = append(clones, mem.CrashClone(vfs.CrashCloneCfg{
				UnsyncedDataPercent: 50 * (len(clones) % 3), RNG: rand.New(rand.NewPCG(1, uint64(len(clones)))),
			}))
		}
		return nil
	})))
	mu.Lock()
	record = true
	mu.Unlock()
	check(t, s.Unstage(t.Context()))
	check(t, s.SyncNow(t.Context()))
	mu.Lock()
	record = false
	mu.Unlock()
	check(t, s.Close())
	if len(clones) < 2 {
		t.Fatalf("only %d writes", len(clones))
	}
	return clones
}

// TestUnstageStopped ends it in the middle.
func TestUnstageStopped(t *testing.T) {
	fs, stop := vfs.NewMem(), errors.New("stop")
	stagedOn(t, fs, unstagings["applied in part"])
	s := large{}.open(t, fs)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if err := s.Unstage(ctx); !errors.Is(err, stop) {
		t.Fatalf("got %v, want the cause", err)
	}
	st, ok, err := s.Staged()
	check(t, err)
	want(t, "staged", fmt.Sprint(ok, st.Mapped), "true true")
	check(t, s.Unstage(t.Context()))
	wantUndone(t, s)
	check(t, s.Close())
}
