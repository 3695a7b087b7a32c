//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
)

// smallDisk is a file system of its own, in memory.
type smallDisk struct{ dir string }

func mountSmall(t *testing.T, dir string, size int) smallDisk {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
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
	return smallDisk{dir}
}

func (d smallDisk) resize(t *testing.T, size int) {
	t.Helper()
	if err := syscall.Mount("tmpfs", d.dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", size)); err != nil {
		t.Fatal(err)
	}
}

// fill takes all room until free is called.
func (d smallDisk) fill(t *testing.T) (free func()) {
	t.Helper()
	f, err := os.Create(filepath.Join(d.dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(f, endless{}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("fill the disk: %v", err)
	}
	return func() {
		if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
			t.Fatal(err)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// refusal says what a large transaction takes, where, and what there is.
var refusal = regexp.MustCompile(
	`a large transaction needs about \d{8,} bytes in (\S+), and \d+ are free\nnext: free space`)

// wantRefused wants the process to end with exit code 1 and a refusal.
func (p *process) wantRefused(t *testing.T, state string) {
	t.Helper()
	if code := p.wait(); code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	log := strings.Join(p.log(), "\n")
	if found := refusal.FindStringSubmatch(log); found == nil || found[1] != state {
		t.Errorf("no refusal for %s", state)
	}
}

// TestNoRoomForLarge has large transactions and a disk that is too small for them: what cannot fit is refused with
// figures, while it is received (an UPDATE) and while it is staged (a TRUNCATE, which is small until then); so is what
// turns out not to fit. With room it goes on, and each event has one id.
func TestNoRoomForLarge(t *testing.T) {
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+fmt.Sprintf(`
		INSERT INTO todos (id, title, text, todo_list_id)
		SELECT 't' || i, 'before ' || i, repeat('x', %d), 'clakt9v5t000kvt64f563l90l' FROM generate_series(1, %d) i`,
		largeText, largeRows))
	to := countEvents(t)
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8], concurrency: 64}",
		webhookYAML{id: "large", url: to.URL})
	const small, enough = 80 << 20, 600 << 20
	disk := mountSmall(t, filepath.Dir(i.state)+"/disk", small)
	i.state = filepath.Join(disk.dir, "state")
	i.configure(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8], concurrency: 64}",
		webhookYAML{id: "large", url: to.URL})
	never := func() int64 { return 0 }

	p := i.start(t)
	pg.Exec(t, "postgres", "UPDATE todos SET title = 'after' || substr(title, 7)")
	p.wantRefused(t, i.state)
	disk.resize(t, enough)
	p = i.start(t)
	p.waitLog("large transaction staged")
	free := disk.fill(t)
	p.wantRefused(t, i.state)
	free()
	p = i.start(t)
	p.waitLog("resuming staged transaction")
	to.waitCount(t, largeRows, never)
	i.waitEmpty(t)
	to.reset(t, largeRows)
	if code := p.stop(); code != exitOK {
		t.Errorf("exit code %d after SIGTERM", code)
	}

	p = i.start(t)
	hold := disk.leave(t, 30<<20)
	pg.Exec(t, "postgres", "TRUNCATE todos CASCADE")
	p.wantRefused(t, i.state)
	hold()
	i.start(t)
	to.waitCount(t, largeRows, never)
	i.waitEmpty(t)
	to.reset(t, largeRows)
}

// leave takes all room but some, until free is called.
func (d smallDisk) leave(t *testing.T, bytes int64) (free func()) {
	t.Helper()
	free = d.fill(t)
	info, err := os.Stat(filepath.Join(d.dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(d.dir, "filler"), info.Size()-bytes); err != nil {
		t.Fatal(err)
	}
	return free
}
