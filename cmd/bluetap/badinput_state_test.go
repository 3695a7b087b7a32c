package main

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2"
)

// badStateFile is a configuration for cases that do not come as far as the database.
const badStateFile = badHook + "  secret: " + hush + "\n"

// TestBadState has state directories that bluetap cannot or must not use. Nothing in them is changed.
func TestBadState(t *testing.T) {
	made := newBadRun(t, badCase{file: badStateFile})
	for range 2 { // the second start makes a table of what the first one has logged
		p := (&instance{config: made.config(), state: made.state()}).run(t)
		p.waitLog("waiting for the database")
		p.stop()
	}
	for _, c := range badStates {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.file == "" {
				c.file = badStateFile
			}
			if c.code == 0 {
				c.code = exitFailed
			}
			b := newBadRun(t, c.badCase)
			if c.state {
				copyState(t, b.state(), made.state())
			}
			if c.prepare != nil {
				c.prepare(t, b)
			}
			look := func() string { return treeOf(t, b.dir) }
			if c.opened {
				look = func() string { return b.told(t) }
			}
			b.checkUntouched(t, look)
		})
	}
}

func copyState(t *testing.T, to, from string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, 0o700); err != nil {
		t.Fatal(err)
	}
}

// badStateCase is a badCase with a state directory.
type badStateCase struct {
	badCase
	state  bool // there is a good state before prepare
	opened bool // bluetap comes so far that Pebble's own files change: then what status tells must not
}

func (b *badRun) symlink(t *testing.T, name, to string) {
	t.Helper()
	if err := os.Symlink(to, filepath.Join(b.dir, name)); err != nil {
		t.Fatal(err)
	}
}

func (b *badRun) chmod(t *testing.T, name string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(filepath.Join(b.dir, name), mode); err != nil {
		t.Fatal(err)
	}
}

func (b *badRun) remove(t *testing.T, name string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(b.dir, name)); err != nil {
		t.Fatal(err)
	}
}

// as makes bluetap run as a user whom permissions bind, as they do not root: the program and the configuration are then
// where that user may read them.
func (b *badRun) as(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip("there is no user nobody: ", err)
	}
	uid, uidErr := strconv.ParseUint(nobody.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(nobody.Gid, 10, 32)
	if err := errors.Join(uidErr, gidErr); err != nil {
		t.Fatal(err)
	}
	b.attr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	b.chmod(t, "", 0o755)
	b.chmod(t, "bluetap.yaml", 0o644)
	b.bin = filepath.Join(b.dir, "bluetap")
	if os.Link(os.Args[0], b.bin) == nil {
		return
	}
	program, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(b.bin, program, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// own gives a folder and all in it to whom as has chosen.
func (b *badRun) own(t *testing.T, name string) {
	t.Helper()
	if b.attr == nil {
		return
	}
	err := filepath.WalkDir(filepath.Join(b.dir, name), func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, int(b.attr.Credential.Uid), int(b.attr.Credential.Gid)))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// lockState keeps a daemon running.
func lockState(t *testing.T, b *badRun) {
	t.Helper()
	p := (&instance{config: b.config(), state: b.state()}).run(t)
	p.waitLog("waiting for the database")
}

// damage does something to the newest file of the state that has such a name.
func damage(pattern string, what func(path string) error) func(t *testing.T, b *badRun) {
	return func(t *testing.T, b *badRun) {
		t.Helper()
		names, err := filepath.Glob(filepath.Join(b.state(), pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("no %s in the state: %v", pattern, err)
		}
		if err := what(names[len(names)-1]); err != nil {
			t.Fatal(err)
		}
	}
}

func cutOff(size int64) func(path string) error {
	return func(path string) error { return os.Truncate(path, size) }
}

// garbage fills a file with something else of its length.
func garbage(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.Repeat("x", int(info.Size()))), 0o600)
}

// newerPebble makes the name of a marker say that only a newer program may read the database.
func newerPebble(path string) error {
	return os.Rename(path, strings.TrimSuffix(path, filepath.Ext(path))+".999")
}

// newerFormat raises the number of the layout that internal/store checks when it opens a state.
func newerFormat(t *testing.T, b *badRun) {
	t.Helper()
	db, err := pebble.Open(b.state(), &pebble.Options{FormatMajorVersion: pebble.FormatNewest})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Set([]byte("mformat"), []byte{99}, pebble.Sync), db.Close()); err != nil {
		t.Fatal(err)
	}
}
