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
	"bluetap/internal/racetest"
)

// refusal says what a large transaction takes, where, and what there is.
var refusal = regexp.MustCompile(
	`a large transaction needs about \d{8,} more bytes in (\S+), and \d+ are free\nnext: free space`)

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

// roomRows is how many rows of largeText it takes that also a TRUNCATE of them is staged.
const roomRows = 30_000

// TestNoRoomForLarge has large transactions and a disk that is too small for them: what cannot fit is refused with
// figures, while it is received (an UPDATE) and while it is staged (a TRUNCATE, which is small until then); so is what
// turns out not to fit. With room it goes on, and each event has one id.
func TestNoRoomForLarge(t *testing.T) {
	if racetest.Enabled {
		t.Skip("the sizes of the disk are those of a whole transaction")
	}
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+fmt.Sprintf(`
		INSERT INTO todos (id, title, text, todo_list_id)
		SELECT 't' || i, 'before ' || i, repeat('x', %d), 'clakt9v5t000kvt64f563l90l' FROM generate_series(1, %d) i`,
		largeText, roomRows))
	to := countEvents(t)
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8], concurrency: 64}",
		webhookYAML{id: "large", url: to.URL})
	const small, enough = 80 << 20, 600 << 20
	disk := filepath.Join(filepath.Dir(i.state), "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	mount(t, disk, small)
	i.state = filepath.Join(disk, "state")
	i.configure(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8], concurrency: 64}",
		webhookYAML{id: "large", url: to.URL})
	never := func() int64 { return 0 }

	p := i.start(t)
	pg.Exec(t, "postgres", "UPDATE todos SET title = 'after' || substr(title, 7)")
	p.wantRefused(t, i.state)
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", enough)); err != nil {
		t.Fatal(err)
	}
	p = i.start(t)
	p.waitLog("large transaction staged")
	free := fill(t, disk)
	p.wantRefused(t, i.state)
	free()
	p = i.start(t)
	p.waitLog("resuming staged transaction")
	to.waitCount(t, roomRows, never)
	i.waitEmpty(t)
	to.reset(t, roomRows)
	if code := p.stop(); code != exitOK {
		t.Errorf("exit code %d after SIGTERM", code)
	}

	p = i.start(t)
	hold := leave(t, disk, 30<<20)
	pg.Exec(t, "postgres", "TRUNCATE todos CASCADE")
	p.wantRefused(t, i.state)
	hold()
	i.start(t)
	to.waitCount(t, roomRows, never)
	i.waitEmpty(t)
	to.reset(t, roomRows)
}

// leave takes all room on a disk but some, until free is called: at no moment all of it, as bluetap is at work there.
func leave(t *testing.T, disk string, bytes int64) (free func()) {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(disk, &s); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.CopyN(f, zeros{}, int64(s.Bavail)*s.Bsize-bytes)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(f.Name()); err != nil {
			t.Fatal(err)
		}
	}
}
