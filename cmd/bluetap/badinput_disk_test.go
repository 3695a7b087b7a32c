//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
)

// TestFullDisk fills the disk under the state directory, before a start and under a running daemon: it ends with one
// clear line, the state is whole, and with room again nothing is lost.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	b := newBadRun(t, badCase{code: exitFailed})
	disk := filepath.Join(b.dir, "disk")
	b.mkdir(t, "disk", 0o700)
	mount(t, disk, 64<<20)
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+blueschema.InsertTodoCreated())
	to := receive(t)
	b.writeConfig(t, fmt.Sprintf("database: {url: %q}\nstate: {dir: disk/state}\n"+
		"delivery: {allowedNetworks: [127.0.0.0/8]}\nwebhooks:\n- {id: a, url: %q}\n", pg.URL("postgres"), to.URL))
	i := instance{config: b.config(), state: filepath.Join(disk, "state")}

	cannotOpen := []string{"bluetap: open state in $DIR/disk/state: store failed: write …: no space left on device",
		"next: free space on the disk of state.dir, then start again"}

	free := fill(t, disk)
	b.want = cannotOpen
	b.check(t)
	if got := count(t, pg, "pg_replication_slots"); got != "0" {
		t.Errorf("%s slots made", got)
	}
	free()
	p := i.start(t)
	free = fill(t, disk)
	pg.Exec(t, "postgres", "UPDATE todos SET title = 'on a full disk', html = (SELECT string_agg(md5(i::text), '') "+
		"FROM generate_series(1, 100000) i)")
	if code := p.wait(); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	b.want = []string{"bluetap: keep state: store failed: write …: no space left on device",
		"next: free space or mend the disk under state.dir, then start again: nothing that was confirmed is lost"}
	b.wantLines(t, strings.Join(p.log(), "\n"))
	b.want = cannotOpen
	b.check(t)
	free()
	i.start(t)
	to.waitForBody(t, "TODO_NAME_CHANGED", "on a full disk")
}

// TestReadOnlyDisk has a state on a disk that has become read-only, as a kernel makes one that fails.
func TestReadOnlyDisk(t *testing.T) {
	b := newBadRun(t, badCase{code: exitFailed, file: badDir("disk/state"), want: []string{
		"bluetap: open state: lock state directory: open $DIR/disk/state/LOCK: read-only file system",
		"next: see that the user of bluetap may read and write what is under state.dir, and that the disk works"}})
	disk := filepath.Join(b.dir, "disk")
	b.mkdir(t, "disk", 0o700)
	mount(t, disk, 64<<20)
	p := (&instance{config: b.config(), state: filepath.Join(disk, "state")}).run(t)
	p.waitLog("waiting for the database")
	p.stop()
	if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	b.checkUntouched(t, func() string { return treeOf(t, disk) })
}

// mount makes dir a file system of size bytes.
func mount(t *testing.T, dir string, size int) {
	t.Helper()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", size))
	if errors.Is(err, syscall.EPERM) {
		t.Skip("a disk of its own takes a user who may mount one: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// fill takes all room in dir, until free is called.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(f, zeros{})
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("fill the disk: %v", err)
	}
	return func() {
		if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
			t.Fatal(err)
		}
	}
}

// zeros is endless.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
