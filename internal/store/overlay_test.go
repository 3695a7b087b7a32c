package store

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"bluetap/internal/racetest"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// model is the plain map that overlay and mirror are held against.
type model map[string]*Row

func (m model) children(parent string) []string {
	var out []string
	for _, k := range sortedKeys(m) {
		if slices.Contains(m[k].Refs, Ref{Index: 1, Parent: parent}) {
			out = append(out, k+"="+string(m[k].Value))
		}
	}
	return out
}

// TestOverlay runs random transactions through overlays of several budgets, and compares views, changes and what is
// applied with a plain map.
func TestOverlay(t *testing.T) {
	racetest.SkipOneByOne(t)
	for _, budget := range []int64{1 << 30, 5000, 1} {
		t.Run(fmt.Sprint("budget ", budget), func(t *testing.T) {
			s := openTest(t, "state", Options{FS: vfs.NewMem()})
			s.chunk, s.scans = 300, 7
			rng := rand.New(rand.NewPCG(1, uint64(budget)))
			now := model{}
			for end := range uint64(30) {
				now = transact(t, s, rng, now, budget, end+1)
			}
			for k, r := range now {
				v, err := s.Mirror().Row(9, k)
				check(t, err)
				want(t, "mirrored "+k, string(v), string(r.Value))
			}
			want(t, "rows", len(mirrored(t, s, 9)), len(now))
			key, err := s.first([]byte{spaceScratch}, after([]byte{spaceScratch}))
			check(t, err)
			want(t, "scratch left", string(key), "")
		})
	}
}

func transact(t *testing.T, s *Store, rng *rand.Rand, base model, budget int64, end uint64) model {
	t.Helper()
	o := s.NewOverlay(budget)
	next := model{}
	for k, r := range base {
		next[k] = r
	}
	for range rng.IntN(60) {
		k := fmt.Sprintf("k%02d", rng.IntN(30))
		if rng.IntN(3) == 0 {
			delete(next, k)
		} else {
			next[k] = row(fmt.Sprint("v", rng.IntN(3)), fmt.Sprint("p", rng.IntN(4)))
		}
		check(t, o.Set(9, k, base[k], next[k]))
	}
	for p := range 4 {
		parent := fmt.Sprint("p", p)
		wantChildren(t, o, parent, next.children(parent))
	}
	for i := range 30 {
		k := fmt.Sprintf("k%02d", i)
		v, err := o.Row(9, k)
		check(t, err)
		if r := next[k]; (r == nil) != (v == nil) || r != nil && string(r.Value) != string(v) {
			t.Fatalf("row %s: got %q, want %v", k, v, r)
		}
	}
	wantChanges(t, o, base, next)
	if rng.IntN(4) == 0 {
		check(t, o.Discard())
		return base
	}
	tx, err := s.Begin(o, end, epoch)
	check(t, err)
	wantMapped(t, o, base, next)
	check(t, tx.Commit())
	return next
}

// wantMapped reads both views while it goes through the changes, as mapping does, also one list in the middle of
// another.
func wantMapped(t *testing.T, o *Overlay, base, next model) {
	t.Helper()
	for c, err := range o.Changes() {
		check(t, err)
		for _, side := range []struct {
			row  *Row
			view func(table uint8, key string) ([]byte, error)
		}{{c.Before, o.Before().Row}, {c.After, o.Row}} {
			v, err := side.view(9, c.Key)
			check(t, err)
			if (side.row == nil) != (v == nil) || side.row != nil && string(side.row.Value) != string(v) {
				t.Fatalf("row %s: got %q, want %v", c.Key, v, side.row)
			}
		}
		for p := range 4 {
			parent := fmt.Sprint("p", p)
			wantChildren(t, o.Before(), parent, base.children(parent))
			for child, err := range o.Children(1, parent) {
				check(t, err)
				wantChildren(t, o, parent, next.children(parent))
				wantChildren(t, o.Before(), fmt.Sprint("p", (p+1)%4), base.children(fmt.Sprint("p", (p+1)%4)))
				want(t, "child "+child.Key, string(child.Value), string(next[child.Key].Value))
			}
		}
	}
}

func wantChildren(t *testing.T, o interface {
	Children(index uint8, parent string) iter.Seq2[Child, error]
}, parent string, wanted []string) {
	t.Helper()
	var got []string
	for c, err := range o.Children(1, parent) {
		check(t, err)
		got = append(got, c.Key+"="+string(c.Value))
	}
	want(t, "children of "+parent, fmt.Sprint(got), fmt.Sprint(wanted))
}

func wantChanges(t *testing.T, o *Overlay, base, next model) {
	t.Helper()
	got := map[string]bool{}
	for c, err := range o.Changes() {
		check(t, err)
		if !same(c.Before, base[c.Key]) || !same(c.After, next[c.Key]) {
			t.Fatalf("change of %s: got %v → %v, want %v → %v", c.Key, c.Before, c.After, base[c.Key], next[c.Key])
		}
		got[c.Key] = true
	}
	for i := range 30 {
		k := fmt.Sprintf("k%02d", i)
		want(t, "changed "+k, got[k], !same(base[k], next[k]))
	}
}

func TestOverlayOrder(t *testing.T) {
	s := openTest(t, "state", Options{FS: vfs.NewMem()})
	o := s.NewOverlay(1 << 20)
	for _, k := range []string{"c", "a", "b", "a"} {
		check(t, o.Set(1, k, nil, row(k, "")))
	}
	check(t, o.Set(1, "b", nil, nil))
	var keys []string
	for c, err := range o.Changes() {
		check(t, err)
		keys = append(keys, c.Key)
	}
	want(t, "order of the first Set", fmt.Sprint(keys), "[c a]")
	want(t, "staged", o.Staged(), false)
}

// TestPassingThrough holds that a row that had many parents in one transaction leaves nothing at those of before.
func TestPassingThrough(t *testing.T) {
	s := openTest(t, "state", Options{FS: vfs.NewMem()})
	o := s.NewOverlay(1 << 20)
	for i := range 1000 {
		check(t, o.Set(1, "a", nil, row("A", fmt.Sprint("p", i))))
	}
	want(t, "parents", len(o.after), 1)
	check(t, o.Set(1, "a", nil, nil))
	want(t, "parents", len(o.after), 0)
	check(t, o.Discard())
}

// TestScratchDropped leaves a spilled overlay behind, as a crash before COMMIT does.
func TestScratchDropped(t *testing.T) {
	fs := vfs.NewMem()
	s, err := Open("state", Options{FS: fs})
	check(t, err)
	o := s.NewOverlay(1)
	check(t, o.Set(1, "a", nil, row("A", "p")))
	want(t, "staged", o.Staged(), true)
	check(t, s.Close())
	s = openTest(t, "state", Options{FS: fs})
	key, err := s.first([]byte{spaceScratch}, after([]byte{spaceScratch}))
	check(t, err)
	want(t, "scratch left", string(key), "")
}
