package store

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

func TestLoader(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	check(t, err)
	l := s.NewLoader(7)
	wantRows := map[string]string{}
	for i := range 40_000 {
		key, value := fmt.Sprintf("key%d", i*7919%40_000), fmt.Sprintf("%0600d", i)
		wantRows[key] = value
		check(t, l.Add(4, key, Row{Value: []byte(value), Refs: []Ref{{Index: 1, Parent: fmt.Sprint(i % 100)}}}))
	}
	check(t, l.Add(4, "key1", Row{Value: []byte("again"), Refs: []Ref{{Index: 1, Parent: "new"}}}))
	wantRows["key1"] = "again"
	check(t, l.Close())
	check(t, s.SaveState(State{Generation: 7}))
	check(t, s.Close())

	s = openTest(t, dir, Options{})
	if got := mirrored(t, s, 4); !maps.Equal(got, wantRows) {
		t.Fatalf("got %d rows, want %d, or other values", len(got), len(wantRows))
	}
	var children int
	for _, err := range s.Mirror().Children(1, "42") {
		check(t, err)
		children++
	}
	want(t, "children", children, 400)
	check(t, s.DropGeneration(7))
	want(t, "rows after drop", len(mirrored(t, s, 4)), 0)
	files, err := filepath.Glob(filepath.Join(dir, "*"+loadSuffix))
	check(t, err)
	want(t, "files left", len(files), 0)
}

func TestLoaderLeftovers(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, "1"+loadSuffix)
	check(t, os.WriteFile(left, []byte("half"), 0o600))
	openTest(t, dir, Options{})
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("a half written table is still there: %v", err)
	}
}
