package store

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"bluetap/internal/hint"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"
)

// openTest opens a store in a directory of its own, and closes it at the end, when no goroutine may be left of it.
func openTest(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	s, err := Open(dir, o)
	check(t, err)
	t.Cleanup(func() { check(t, s.Close()) })
	return s
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 678000, time.UTC)

// row makes a row that refers to a parent in index 1, unless that is "".
func row(value, parent string) *Row {
	r := &Row{Value: []byte(value)}
	if parent != "" {
		r.Refs = []Ref{{Index: 1, Parent: parent}}
	}
	return r
}

func event(id string, lsn uint64) Event {
	return Event{
		ID: id, Type: "TODO_CREATED", Record: "todo", Committed: epoch.Add(time.Duration(lsn) * time.Second), LSN: lsn,
		Values: []byte(`"currentValue":{}`),
	}
}

// apply applies a transaction with one event per id, in one lane, for webhook 1.
func apply(t testing.TB, s *Store, end uint64, lane uint64, changes []Change, ids ...string) {
	t.Helper()
	o := s.NewOverlay(1 << 20)
	for _, c := range changes {
		check(t, o.Set(c.Table, c.Key, c.Before, c.After))
	}
	tx, err := s.Begin(o, end, epoch)
	check(t, err)
	for _, id := range ids {
		check(t, tx.Add(event(id, end), []uint64{lane}, []uint32{1}))
	}
	check(t, tx.Commit())
}

func mirrored(t testing.TB, s *Store, table uint8) map[string]string {
	t.Helper()
	rows := map[string]string{}
	for c, err := range s.Mirror().Rows(table) {
		check(t, err)
		rows[c.Key] = string(c.Value)
	}
	return rows
}

func pendingIDs(t testing.TB, s *Store, w uint32) []string {
	t.Helper()
	entries, err := s.Pending(w, 0, 1<<20)
	check(t, err)
	var ids []string
	for _, e := range entries {
		ev, err := s.Event(e.Seq)
		check(t, err)
		ids = append(ids, ev.ID)
	}
	return ids
}

func TestOpenAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s, err := Open(dir, Options{})
	check(t, err)
	st := State{Source: Source{SystemID: "7", Database: "blue"}, Epoch: "0badcafe", Snapshot: SnapshotReady}
	check(t, s.SaveState(st))
	check(t, s.SaveShape(3, []byte("shape")))
	n, err := s.WebhookNumber("first")
	check(t, err)
	want(t, "first number", n, 1)
	check(t, s.SaveWebhookState(n, []byte("healthy")))
	apply(t, s, 10, 5, []Change{{Table: 2, Key: "a", After: row("A", "p")}}, "e1", "e2")
	check(t, s.Close())
	check(t, s.Close())

	s = openTest(t, dir, Options{})
	want(t, "state", fmt.Sprint(s.State()), fmt.Sprint(st))
	want(t, "applied", s.Applied(), 10)
	want(t, "synced", s.Synced(), 10)
	shapes, err := s.Shapes()
	check(t, err)
	want(t, "shape", string(shapes[3]), "shape")
	n, err = s.WebhookNumber("first")
	check(t, err)
	want(t, "first number again", n, 1)
	n, err = s.WebhookNumber("second")
	check(t, err)
	want(t, "second number", n, 2)
	state, err := s.WebhookState(1)
	check(t, err)
	want(t, "webhook state", string(state), "healthy")
	want(t, "row", mirrored(t, s, 2)["a"], "A")
	want(t, "pending", fmt.Sprint(pendingIDs(t, s, 1)), "[e1 e2]")
	stats, err := s.Stats(1)
	check(t, err)
	want(t, "pending count", stats.Pending, 2)
	info, err := os.Stat(dir)
	check(t, err)
	want(t, "mode", info.Mode().Perm(), 0o700)
}

func TestOpenErrors(t *testing.T) {
	t.Run("locked", func(t *testing.T) {
		dir := t.TempDir()
		openTest(t, dir, Options{})
		_, err := Open(dir, Options{})
		wantHinted(t, err, ErrLocked)
	})
	t.Run("newer format", func(t *testing.T) {
		dir := t.TempDir()
		s, err := Open(dir, Options{})
		check(t, err)
		check(t, s.putSync(metaKey(metaFormat), []byte{format + 1}))
		check(t, s.Close())
		_, err = Open(dir, Options{})
		wantHinted(t, err, ErrFormat)
	})
	t.Run("not a directory", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		check(t, os.WriteFile(file, nil, 0o600))
		if _, err := Open(file, Options{}); err == nil || errors.Is(err, ErrLocked) {
			t.Fatalf("got %v, want an error about the directory", err)
		}
	})
	t.Run("nothing to read", func(t *testing.T) {
		_, err := OpenReadOnly(filepath.Join(t.TempDir(), "none"), Options{})
		wantHinted(t, err, ErrNone)
		_, err = OpenReadOnly(t.TempDir(), Options{})
		wantHinted(t, err, ErrNone)
	})
}

func TestOpenDamaged(t *testing.T) {
	t.Run("foreign database", func(t *testing.T) {
		dir := t.TempDir()
		db, err := pebble.Open(dir, &pebble.Options{Logger: quiet{log: Options{}.withDefaults().Log, fault: newFault()}})
		check(t, err)
		check(t, db.Set([]byte("key"), []byte("value"), pebble.Sync))
		check(t, db.Close())
		_, err = Open(dir, Options{})
		wantHinted(t, err, ErrDamaged)
	})
	t.Run("damaged manifest", func(t *testing.T) {
		dir := t.TempDir()
		s, err := Open(dir, Options{})
		check(t, err)
		check(t, s.Close())
		manifests, err := filepath.Glob(filepath.Join(dir, "MANIFEST-*"))
		check(t, err)
		for _, m := range manifests {
			check(t, os.WriteFile(m, []byte("this is no manifest, and long enough to be one"), 0o600))
		}
		_, err = Open(dir, Options{})
		wantHinted(t, err, ErrDamaged)
	})
}

func wantHinted(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) || hint.Of(err) == "" {
		t.Fatalf("got %v (hint %q), want %v with a hint", err, hint.Of(err), target)
	}
}

func TestOpenReadOnly(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	check(t, err)
	apply(t, s, 10, 5, []Change{{Table: 2, Key: "a", After: row("A", "p")}}, "e1")
	check(t, s.Close())
	r, err := OpenReadOnly(dir, Options{})
	check(t, err)
	want(t, "pending", fmt.Sprint(pendingIDs(t, r, 1)), "[e1]")
	if err := r.Advance(11); err == nil {
		t.Fatal("a write to a store opened for reading succeeded")
	}
	check(t, r.Close())
}

func TestClosed(t *testing.T) {
	s, err := Open(t.TempDir(), Options{})
	check(t, err)
	o := s.NewOverlay(1 << 20)
	check(t, s.Close())
	_, rowErr := s.Mirror().Row(1, "a")
	_, beginErr := s.Begin(o, 1, epoch)
	_, pendingErr := s.Pending(1, 0, 1)
	_, numberErr := s.WebhookNumber("x")
	for name, err := range map[string]error{
		"row": rowErr, "begin": beginErr, "pending": pendingErr, "number": numberErr,
		"advance": s.Advance(5), "sync": s.SyncNow(t.Context()), "state": s.SaveState(State{}),
		"run": s.Run(t.Context()),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: got %v, want ErrClosed", name, err)
		}
	}
}

func TestMirrorChildren(t *testing.T) {
	s := openTest(t, "state", Options{FS: vfs.NewMem()})
	parents := []string{"p", "pp", "p\x00", "p\x00\x01", "", "p\xff"}
	var changes []Change
	for i, p := range parents {
		r := &Row{Value: []byte(p), Refs: []Ref{{Index: 1, Parent: p}, {Index: 2, Parent: "other"}}}
		changes = append(changes, Change{Table: 3, Key: fmt.Sprintf("k%d", i), After: r})
	}
	apply(t, s, 1, 0, changes)
	for i, p := range parents {
		var keys []string
		for c, err := range s.Mirror().Children(1, p) {
			check(t, err)
			want(t, "value", string(c.Value), p)
			keys = append(keys, c.Key)
		}
		want(t, fmt.Sprintf("children of %q", p), fmt.Sprint(keys), fmt.Sprintf("[k%d]", i))
	}
	var others int
	for _, err := range s.Mirror().Children(2, "other") {
		check(t, err)
		others++
	}
	want(t, "children in the other index", others, len(parents))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
