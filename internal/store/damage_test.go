package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"bluetap/internal/hint"
)

// TestManifest takes bytes off the end of a manifest, as a crash does while a record is being written, and changes
// each byte of it. What is changed is refused, or it is nothing that is needed: a state with less is never opened.
func TestManifest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s, err := Open(dir, Options{})
	check(t, err)
	apply(t, s, 1, 1, []Change{{Table: 1, Key: "a", After: row("1", "")}}, "e")
	check(t, s.Close())
	s, err = Open(dir, Options{}) // what was in the log is in a table now
	check(t, err)
	check(t, s.Close())
	names, err := filepath.Glob(filepath.Join(dir, "MANIFEST-*"))
	check(t, err)
	manifest := names[len(names)-1]
	whole, err := os.ReadFile(manifest)
	check(t, err)
	checked := func(b []byte) error {
		t.Helper()
		check(t, os.WriteFile(manifest, b, 0o600))
		s := &Store{dir: dir, opts: Options{}.withDefaults()}
		return s.checkManifest()
	}
	half := append(append([]byte{}, whole...), whole[:20]...)
	for name, b := range map[string][]byte{
		"whole": whole, "half a record more": half, "zeros at the end": append(half, make([]byte, 100)...),
	} {
		if err := checked(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused := 0
	for i := range whole {
		b := append([]byte{}, whole...)
		b[i] ^= 0x10
		err := checked(b)
		if err != nil && (!errors.Is(err, ErrDamaged) || hint.Of(err) == "") {
			t.Errorf("byte %d: %v", i, err)
		}
		if err != nil {
			refused++
		}
	}
	last := 100 // the last record may be one that was being written
	if refused < len(whole)-last {
		t.Errorf("%d of %d changed bytes were found", refused, len(whole))
	}
	check(t, os.WriteFile(manifest, whole, 0o600))
	s = openTest(t, dir, Options{})
	want(t, "row", mirrored(t, s, 1)["a"], "1")
}
