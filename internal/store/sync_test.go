package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// start runs a store until the test ends.
func start(t *testing.T, s *Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		check(t, <-done)
	})
}

func TestRunSyncs(t *testing.T) {
	s := openTest(t, "state", Options{FS: vfs.NewMem(), SyncEvery: time.Millisecond})
	synced := make(chan uint64, 100)
	s.OnSync(func(lsn uint64) { synced <- lsn })
	start(t, s)
	for end := uint64(1); end <= 5; end++ {
		apply(t, s, end, 1, nil, "e")
		for got := range synced {
			if got > s.Applied() {
				t.Fatalf("synced %d beyond applied %d", got, s.Applied())
			}
			if got == end {
				break
			}
		}
	}
	check(t, s.Advance(9))
	want(t, "synced by keepalive", <-synced, 9)
	check(t, s.Advance(8))
	want(t, "applied never falls", s.Applied(), 9)
}

// TestSyncInterval holds the loop to its clock: one fsync per SyncEvery however many writes, none while idle, and a
// sweep soon after the start, which may be the only one that a daemon lives to see.
func TestSyncInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Store{fault: newFault(), opts: Options{SyncEvery: 200 * time.Millisecond}.withDefaults()}
		s.sync.init()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		var fsyncs, sweeps []time.Duration
		began := time.Now()
		go func() {
			done <- s.loop(ctx, func(context.Context) error {
				fsyncs = append(fsyncs, time.Since(began))
				return nil
			}, func() (more bool, err error) {
				sweeps = append(sweeps, time.Since(began))
				return len(sweeps) < 3, nil
			})
		}()
		for range 10 {
			s.sync.wrote()
			<-time.After(15 * time.Millisecond)
		}
		<-time.After(30 * time.Second)
		s.sync.wrote()
		<-time.After(2*time.Minute + time.Second)
		cancel()
		check(t, <-done)
		want(t, "fsyncs", fmt.Sprint(fsyncs), "[200ms 30.35s 2m31.15s]")
		want(t, "sweeps", fmt.Sprint(sweeps), "[100ms 200ms 300ms 1m0.3s 2m0.3s]")
	})
}

func TestSyncNow(t *testing.T) {
	s := openTest(t, "state", Options{FS: vfs.NewMem()})
	apply(t, s, 7, 1, nil, "e")
	want(t, "synced before", s.Synced(), 0)
	check(t, s.SyncNow(t.Context()))
	want(t, "synced after", s.Synced(), 7)
	check(t, s.Advance(8))
	check(t, s.SaveState(State{}))
	want(t, "synced with the state", s.Synced(), 8)
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	apply(t, s, 9, 1, nil, "e")
	if err := s.SyncNow(ctx); err != nil && !errors.Is(err, stop) {
		t.Fatalf("got %v, want the cause", err)
	}
}

// TestCrash cuts the power at random moments between transactions and outcomes. What is found again is the state
// after some write at or past the last fsync: rows, events, queues and outcomes of the same moment.
func TestCrash(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for round := range 20 {
		mem := vfs.NewCrashableMem()
		s, err := Open("state", Options{FS: mem})
		check(t, err)
		var moments []string
		var synced, end uint64
		var atSync int
		for range 40 + rng.IntN(40) {
			switch n := rng.IntN(10); {
			case n < 5:
				end++
				value := row(fmt.Sprint(end), "p")
				apply(t, s, end, end%4, []Change{{Table: 1, Key: fmt.Sprint(end % 10), After: value}}, fmt.Sprint("e", end))
			case n < 9:
				if e := pending(t, s, 1); len(e) > 0 {
					check(t, s.Finish(1, e[rng.IntN(len(e))], Delivery{Status: StatusDelivered, Attempts: 1}))
				}
			default:
				check(t, s.SyncNow(t.Context()))
				synced, atSync = s.Synced(), len(moments)
			}
			moments = append(moments, moment(t, s))
		}
		clone := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
		check(t, s.Close())
		again, err := Open("state", Options{FS: clone})
		check(t, err)
		if again.Applied() < synced {
			t.Fatalf("round %d: applied %d after the crash, but %d was synced", round, again.Applied(), synced)
		}
		found := moment(t, again)
		at := lastIndex(moments, found)
		if at < 0 || at < atSync-1 && synced > 0 {
			t.Fatalf("round %d: found the state of no moment since the last fsync (%d, synced at %d)", round, at, atSync)
		}
		check(t, again.Close())
	}
}

func lastIndex(all []string, s string) int {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i] == s {
			return i
		}
	}
	return -1
}

// moment is all that can be seen of a store.
func moment(t *testing.T, s *Store) string {
	t.Helper()
	stats, err := s.Stats(1)
	check(t, err)
	var log []uint64
	for o, err := range s.Log(1, 0) {
		check(t, err)
		_, err := s.Event(o.Seq)
		check(t, err)
		log = append(log, o.Seq)
	}
	return fmt.Sprint(s.Applied(), stats, mirrored(t, s, 1), pendingIDs(t, s, 1), log)
}
