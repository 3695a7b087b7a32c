package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

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

// TestDamageOnRead flips a byte of a table that nothing looks at before it is read.
func TestDamageOnRead(t *testing.T) {
	for name, open := range map[string]func(string, Options) (*Store, error){
		"for reading": OpenReadOnly, "for writing": Open,
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			flipShape(t, dir)
			s, err := open(dir, Options{})
			check(t, err)
			_, err = s.Shapes()
			wantHinted(t, err, ErrDamaged)
			check(t, s.Close())
		})
	}
}

// flipShape makes a store with a flipped byte in the only table of any size.
func flipShape(t *testing.T, dir string) {
	t.Helper()
	s, err := Open(dir, Options{})
	check(t, err)
	check(t, s.SaveShape(1, noise(20<<10, 1)))
	check(t, s.db.Flush())
	check(t, s.Close())
	names, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	check(t, err)
	for _, name := range names {
		b, err := os.ReadFile(name)
		check(t, err)
		if len(b) > 10<<10 {
			b[len(b)/2] ^= 1
			check(t, os.WriteFile(name, b, 0o600))
		}
	}
}

// TestDamagedRecord has a record that contradicts itself, wherever it is met.
func TestDamagedRecord(t *testing.T) {
	s := openTest(t, "state", Options{FS: vfs.NewMem()})
	addSome(t, s, 10, 2)
	s.events.clear()
	check(t, s.putSync(eventKey(1), []byte{9}))
	_, err := s.Event(1)
	wantHinted(t, err, ErrDamaged)
	_, err = s.sweep()
	wantHinted(t, err, ErrDamaged)
}

// TestDamagedLog changes the last log. What is in later blocks of 32 KiB than a changed byte tells that this is no log
// that a crash has cut; where nothing is, it cannot be told from one. Then the store opens as it was at an earlier
// position, which the daemon compares with the slot's.
func TestDamagedLog(t *testing.T) {
	const end, each = 1000, 10
	value := func(at uint64) string { return fmt.Sprintf("%-9000d", at) }
	for name, c := range map[string]struct {
		refused bool
		change  func([]byte) []byte // nil: the log is gone
	}{
		"flipped":   {true, func(b []byte) []byte { b[len(b)/3] ^= 1; return b }},
		"cut short": {false, func(b []byte) []byte { return b[:len(b)/2] }},
		"gone":      {false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			s, err := Open(dir, Options{})
			check(t, err)
			for at := uint64(each); at <= end; at += each {
				apply(t, s, at, 1, []Change{{Table: 1, Key: "a", After: row(value(at), "")}}, "e")
				check(t, s.SyncNow(t.Context()))
			}
			check(t, s.Close())
			changeLastLog(t, dir, c.change)
			s, err = Open(dir, Options{})
			if c.refused {
				wantHinted(t, err, ErrDamaged)
				return
			}
			check(t, err)
			if s.Applied() >= end || s.Applied()%each != 0 {
				t.Errorf("applied %d of %d", s.Applied(), end)
			}
			if s.Applied() > 0 {
				want(t, "row", mirrored(t, s, 1)["a"], value(s.Applied()))
			}
			check(t, s.Close())
		})
	}
}

func changeLastLog(t *testing.T, dir string, change func([]byte) []byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	check(t, err)
	last := names[len(names)-1]
	if change == nil {
		check(t, os.Remove(last))
		return
	}
	b, err := os.ReadFile(last)
	check(t, err)
	check(t, os.WriteFile(last, change(b), 0o600))
}
