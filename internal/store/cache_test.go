package store

import (
	"bytes"
	"fmt"
	"testing"
)

// TestRowCache holds that the mirror never shows an older row through the cache: after commits small and staged, after
// a read that a commit overtook, and after a generation was dropped.
func TestRowCache(t *testing.T) {
	s := openTest(t, t.TempDir(), Options{})
	write := func(end uint64, budget int64, rows map[string]string) {
		t.Helper()
		o := s.NewOverlay(budget)
		for key, value := range rows {
			var before, after *Row
			if old, err := o.Before().Row(1, key); err != nil {
				t.Fatal(err)
			} else if old != nil {
				before = &Row{Value: old}
			}
			if value != "" {
				after = &Row{Value: []byte(value)}
			}
			check(t, o.Set(1, key, before, after))
		}
		tx, err := s.Begin(o, end, s.opts.Now())
		check(t, err)
		check(t, tx.Commit())
	}
	want := func(key, value string) {
		t.Helper()
		for range 2 { // by Pebble, then by the cache
			got, err := s.Mirror().Row(1, key)
			check(t, err)
			if string(got) != value || (got == nil) != (value == "") {
				t.Errorf("row %s = %q, want %q", key, got, value)
			}
		}
	}
	want("a", "")
	write(1, 1<<20, map[string]string{"a": "1", "b": "1"})
	want("a", "1")
	write(2, 1, map[string]string{"a": "2", "c": "2"}) // staged
	want("a", "2")
	want("c", "2")
	write(3, 1<<20, map[string]string{"a": "", "b": "3"})
	want("a", "")
	want("b", "3")
	check(t, s.DropGeneration(s.State().Generation))
	want("b", "")
}

func TestRowCacheKeepsNoOvertakenRead(t *testing.T) {
	c := newCache[cachedRow](1 << 20)
	row := cachedRow{table: 1, key: "a"}
	_, known, writes := c.get(row)
	if known {
		t.Fatal("an empty cache knows a row")
	}
	c.put(row, []byte("new"))
	c.fill(row, []byte("old"), writes)
	if value, _, _ := c.get(row); string(value) != "new" {
		t.Errorf("row = %q, want the one that was committed", value)
	}
}

func TestRowCacheIsBounded(t *testing.T) {
	const budget = 64 << 10
	c := newCache[cachedRow](budget)
	hot := cachedRow{table: 1, key: "hot"}
	c.put(hot, []byte("hot"))
	for i := range 10_000 {
		c.put(cachedRow{table: 1, key: fmt.Sprint(i)}, bytes.Repeat([]byte("x"), 100))
		if _, known, _ := c.get(hot); !known {
			t.Fatalf("a row in use was forgotten after %d others", i)
		}
	}
	if n := len(c.young) + len(c.old); n > budget/(100+cacheOverhead) {
		t.Errorf("%d rows kept in %d bytes", n, budget)
	}
	c.put(cachedRow{table: 1, key: "huge"}, make([]byte, budget/2))
	if _, known, _ := c.get(cachedRow{table: 1, key: "huge"}); known {
		t.Error("a row of half the budget is kept")
	}
}
