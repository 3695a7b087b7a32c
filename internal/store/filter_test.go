package store

import (
	"fmt"
	"testing"

	"bluetap/internal/racetest"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestFilter adds a million rows: each is known, and of as many others hardly one.
func TestFilter(t *testing.T) {
	racetest.SkipOneByOne(t)
	const rows = 1_000_000
	f := newFilter()
	for i := range rows {
		f.add(rowID{1, fmt.Sprint("k", i)}.hash())
	}
	wrong := 0
	for i := range rows {
		if !f.has(rowID{1, fmt.Sprint("k", i)}.hash()) {
			t.Fatalf("row %d is not known", i)
		}
		if f.has(rowID{2, fmt.Sprint("k", i)}.hash()) {
			wrong++
		}
	}
	if wrong > rows/500 {
		t.Errorf("%d of %d rows are known that never were added", wrong, rows)
	}
}

// TestSpillRefused refuses what would go to disk: the first time in Set, then in Begin.
func TestSpillRefused(t *testing.T) {
	s := openTest(t, "state", Options{FS: vfs.NewMem()})
	o := s.NewOverlay(1)
	var asked []int64
	refuse := true
	o.OnSpill(func(bytes int64) error {
		if asked = append(asked, bytes); refuse {
			return ErrTooLarge
		}
		return nil
	})
	err := o.Set(1, "a", nil, row("A", "p"))
	want(t, "refused", fmt.Sprint(err), "spill changes: "+ErrTooLarge.Error())
	want(t, "staged", o.Staged(), false)
	refuse = false
	check(t, o.Set(1, "b", nil, row("B", "p")))
	want(t, "staged", o.Staged(), true)
	want(t, "rows", o.Rows(), 2)
	want(t, "asked", len(asked), 2)
	if o.Bytes() <= 0 || asked[1] < o.Bytes() {
		t.Errorf("asked for %d bytes, %d were written", asked[1], o.Bytes())
	}
	check(t, o.Discard())
}
