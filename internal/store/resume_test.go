package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"bluetap/internal/racetest"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// ruled are a transaction's events by different rules; none of the first is what gives the others' number or order.
var ruled = []large{
	{budget: 2000, rules: "one"}, {budget: 2000, rules: "two", hidden: 3}, {budget: 2000, rules: "three", hidden: 4},
	{budget: 2000},
}

// underOther recovers a crash by rules that are chosen for what is found, and wants the events of one set of rules, all
// of them: those by which the transaction was mapped to its end, else the ones of now. It tells what it found.
func underOther(t *testing.T, fs vfs.FS, mapped large, choose func(m stagedMark) large) string {
	t.Helper()
	s := mapped.open(t, fs)
	defer func() { check(t, s.Close()) }()
	m, _, err := s.readMark()
	check(t, err)
	l := choose(m)
	s.SetRules(l.rules)
	st, staged, err := s.Staged()
	check(t, err)
	found, wanted := "sent again", l
	switch {
	case s.Applied() == 20:
		found, wanted = "complete", mapped
	case st.Mapped:
		found, wanted = "mapped", mapped
	case staged && st.Anew && st.Cursor > 0:
		found = "anew"
	case staged && !st.Anew && st.Cursor > 0:
		found = "continued"
	case staged:
		found = "resumed"
	}
	if s.Applied() < 20 {
		l.wantBefore(t, s)
	}
	l.finish(t, s)
	wanted.wantAfter(t, s)
	return found
}

// TestOtherRules crashes in each write of a staged transaction, and resumes it by other rules or none, or those of a
// state that knows of none.
func TestOtherRules(t *testing.T) {
	racetest.SkipOneByOne(t)
	for _, c := range []struct{ before, now large }{{ruled[0], ruled[1]}, {ruled[3], ruled[2]}} {
		for _, unsynced := range []int{50, 100} {
			t.Run(fmt.Sprint(c.before.rules, "-", c.now.rules, unsynced), func(t *testing.T) {
				found := map[string]int{}
				for _, fs := range c.before.clones(t, unsynced) {
					found[underOther(t, fs, c.before, func(stagedMark) large { return c.now })]++
				}
				t.Log(found)
				if found["anew"] == 0 || found["mapped"] == 0 || found["continued"] > 0 {
					t.Error("no crash after some of the events, or none after all")
				}
			})
		}
	}
}

// TestOtherRulesTwice crashes again in each write while the events are dropped and made anew, and goes on by the same
// rules, by those of before or by others: never are events of two rules counted together.
func TestOtherRulesTwice(t *testing.T) {
	racetest.SkipOneByOne(t)
	half, second, found, turns := ruled[0].halfMapped(t), ruled[1], map[string]int{}, map[string]int{}
	for _, unsynced := range []int{0, 100} {
		c := &crashes{mem: copied(half), unsynced: unsynced}
		s := second.open(t, c.fs())
		c.recording(true)
		second.finish(t, s)
		check(t, s.SyncNow(t.Context()))
		c.recording(false)
		second.wantAfter(t, s)
		check(t, s.Close())
		for _, fs := range c.clones {
			var now large
			kind := underOther(t, fs, second, func(m stagedMark) large {
				state := fmt.Sprint(m.Rules, m.Cursor > 0, m.Mapped)
				turns[state]++
				now = ruled[turns[state]%3]
				return now
			})
			found[now.rules+" "+kind]++
		}
	}
	t.Log(found)
	for _, needed := range []string{"one anew", "two continued", "three anew"} {
		if found[needed] == 0 {
			t.Errorf("no crash with %s", needed)
		}
	}
}

// copied is a copy with all that has been written.
func copied(fs *vfs.MemFS) *vfs.MemFS {
	return fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))})
}

// halfMapped returns the copy of a crash after the most events that were counted before all were.
func (l large) halfMapped(t *testing.T) *vfs.MemFS {
	t.Helper()
	clones := l.clones(t, 100)
	for i := len(clones) - 1; i >= 0; i-- {
		s := l.open(t, copied(clones[i]))
		st, staged, err := s.Staged()
		check(t, errors.Join(err, s.Close()))
		if staged && !st.Mapped && st.Cursor > 0 {
			return clones[i]
		}
	}
	t.Fatal("no crash between the events")
	return nil
}

// TestOtherRulesGap drops events of which some are counted in a gap: at the end each is in the queue or in the gap.
func TestOtherRulesGap(t *testing.T) {
	mem := ruled[0].halfMapped(t)
	limited := func(l large) *Store {
		s := l.open(t, mem)
		s.LimitQueue(1, QueueLimit{Bytes: 30_000})
		return s
	}
	s := limited(ruled[1])
	_, tx, err := s.Resume(t.Context())
	check(t, err)
	check(t, ruled[1].add(tx))
	check(t, tx.append())
	if missed := tx.gaps[1]; missed == nil || missed.Count == 0 {
		t.Fatal("no gap")
	}
	check(t, s.Close())

	s = limited(ruled[2])
	ruled[2].finish(t, s)
	all := 0
	for i := range 300 {
		if i%10 != 0 && !ruled[2].hides(i) {
			all++
		}
	}
	stats, err := s.Stats(1)
	check(t, err)
	want(t, "events pending and missed", int(stats.Pending-1+s.Gaps(1)[0].Count), all) // one is of seed
	want(t, "events pending", len(pendingIDs(t, s, 1)), int(stats.Pending))
	other, err := s.Stats(2)
	check(t, err)
	want(t, "events of the other webhook", int(other.Pending), all)
	wantNoOrphans(t, s)
	check(t, s.Close())
}

// countdown is a context that ends when it has been asked so many times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestResumeStops has Resume end wherever it is asked to, while it drops and while it reads, and goes on by the same
// rules, by those of before or by others.
func TestResumeStops(t *testing.T) {
	racetest.SkipOneByOne(t)
	half, stops := ruled[0].halfMapped(t), 0
	for stopped := true; stopped; stops++ {
		s := ruled[1].open(t, copied(half))
		_, _, err := s.Resume(&countdown{context.Background(), 10 * stops})
		if stopped = err != nil; stopped && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		now := ruled[stops%3]
		s.SetRules(now.rules)
		now.finish(t, s)
		now.wantAfter(t, s)
		check(t, s.Close())
	}
	if stops < 30 {
		t.Errorf("Resume asked for its context only %d times", 10*stops)
	}
}
