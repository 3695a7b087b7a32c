package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bluetap/internal/blueschema"
	"bluetap/internal/control"
	"bluetap/internal/pgtest"
	"bluetap/internal/racetest"
)

// rename commits so many changes of one todo with a text of 1 MB that does not compress: each event has it twice.
func rename(t *testing.T, pg *pgtest.Server, from, n int) {
	t.Helper()
	pg.Exec(t, "postgres", fmt.Sprintf(`DO $$ BEGIN FOR i IN %d..%d LOOP
		UPDATE todos SET title = 'big ' || i WHERE id = 'big'; COMMIT; END LOOP; END $$`, from, from+n-1))
}

func makeBig(t *testing.T, pg *pgtest.Server) {
	t.Helper()
	pg.Exec(t, "postgres", `INSERT INTO todos (id, title, todo_list_id, text) SELECT 'big', 'big 0',
		'clakt9v5t000kvt64f563l90l', (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 32768))`)
}

func diskUsed(t *testing.T, dir string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestMaxSize fills the state to 90 % of its size: reading stops and the slot is left, over a restart too, while what
// is queued goes on being delivered. As that has left the state, reading goes on, and nothing is missing.
func TestMaxSize(t *testing.T) {
	racetest.SkipLarge(t)
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	makeBig(t, pg)
	to, up := slowAndWell(t)
	i := install(t, pg.URL("postgres"), "  maxSize: 256MiB\n  retention: 4s\ndelivery: {allowedNetworks: [127.0.0.0/8]}",
		webhookYAML{id: "slow", url: to.URL + "/slow", extra: []string{soon}})
	p := i.start(t)
	const changes, size, quota = 150, 2 << 20, 256 << 20
	rename(t, pg, 1, changes)
	const stops = "state is at 90 % of its size: reading stops until it is below 80 %; more room: raise " +
		"state.maxSize, or lower state.retention or delivery.deadLetterRetention"
	p.waitLog(stops)
	waitUntil(t, "disconnected", func() bool { return count(t, pg, "pg_replication_slots WHERE active") == "0" })
	if used := diskUsed(t, i.state); used < quota*6/10 || used > quota {
		t.Errorf("%d bytes on disk", used)
	}
	queued := i.webhook(t, "slow").Pending
	if queued < 50 || queued >= changes {
		t.Errorf("%d events queued of %d", queued, changes)
	}
	status := askJSON(t, i)
	if !strings.Contains(status.Source.Paused, "256MiB") || status.State.MaxBytes != quota || status.State.Bytes > quota {
		t.Errorf("status: %+v", status)
	}
	p.kill()
	p = i.run(t)
	p.waitLog(stops)
	up.Store(true)
	p.waitLog("state is below 80 % of its size: reading goes on")
	waitUntil(t, "all changes", func() bool { return came(to, "/slow", "TODO_NAME_CHANGED") == changes })
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// onTmpfs makes the state directory a file system of so many megabytes, or skips the test.
func (i *instance) onTmpfs(t *testing.T, megabytes int) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounting a file system that can be full needs root")
	}
	if err := os.MkdirAll(i.state, 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", megabytes), "tmpfs", i.state).
		CombinedOutput()
	if err != nil {
		t.Skipf("cannot mount a tmpfs, in a container perhaps: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", i.state).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
}

// fillDisk takes all the room that is left in the state directory with a file, whose name it returns.
func (i *instance) fillDisk(t *testing.T) string {
	t.Helper()
	name := filepath.Join(i.state, "filler")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, chunk := range [][]byte{make([]byte, 1<<20), make([]byte, 4096), make([]byte, 1)} {
		for err = nil; err == nil; {
			_, err = f.Write(chunk)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

// keepFull takes what room there comes to be until stop is called: a state that is opened drops what the last process
// did not finish, and may go on in its place.
func keepFull(t *testing.T, filler string) (stop func()) {
	t.Helper()
	f, err := os.OpenFile(filler, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for block := make([]byte, 1<<20); ; {
			select {
			case <-done:
				return
			case <-tick.C:
				for err := error(nil); err == nil; {
					_, err = f.Write(block)
				}
			}
		}
	}()
	stop = sync.OnceFunc(func() {
		close(done)
		<-ended
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
}

// wantFullDisk checks how a process ends for which there is no room: one line that says so, and what to do.
func wantFullDisk(t *testing.T, code int, lines []string) {
	t.Helper()
	plain := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.HasPrefix(line, "{") })
	if code != exitFailed || len(plain) != 2 || !strings.HasPrefix(plain[0], "bluetap: ") ||
		!strings.Contains(plain[0], "no space left on device") && !strings.Contains(plain[0], "and 0 are free") ||
		!strings.HasPrefix(plain[1], "next: free space") {
		t.Errorf("exit code %d, %q", code, plain)
	}
}

// TestDiskFull fills the disk under a running daemon, several times: the daemon ends in order, does not start while
// there is no room, and then goes on. Nothing is lost, and as the receiver was down all the time, no event comes twice.
func TestDiskFull(t *testing.T) {
	racetest.SkipLarge(t)
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	makeBig(t, pg)
	to, up := slowAndWell(t)
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}",
		webhookYAML{id: "slow", url: to.URL + "/slow", extra: []string{soon}})
	i.onTmpfs(t, 1200)
	const rounds, each = 3, 40
	for round := range rounds {
		p := i.start(t)
		rename(t, pg, 2*round*each+1, each)
		waitUntil(t, "half of the round", func() bool { return i.webhook(t, "slow").Pending > uint64(2*round*each+each/2) })
		filler := i.fillDisk(t)
		stop := keepFull(t, filler)
		rename(t, pg, (2*round+1)*each+1, each)
		wantFullDisk(t, p.wait(), p.log())
		if round == 0 {
			code, _, stderr := command(t, "run", "--config", i.config)
			wantFullDisk(t, code, strings.Split(strings.TrimSpace(stderr), "\n"))
		}
		stop()
		remove(t, filler)
	}
	up.Store(true) // before the start, whose first attempt finds it well
	i.start(t)
	const all = 2 * rounds * each
	waitUntil(t, "all changes", func() bool { return came(to, "/slow", "TODO_NAME_CHANGED") == all })
	i.waitEmpty(t)
	delivered := map[string]int{}
	for _, d := range to.deliveries() {
		if d.event == "TODO_NAME_CHANGED" && d.path == "/slow" {
			delivered[d.body]++
		}
	}
	first, _ := firsts(t, to.deliveries())
	if len(first) != all || len(delivered) != all {
		t.Errorf("%d ids and %d bodies for %d changes", len(first), len(delivered), all)
	}
}

// TestDiskFullInSpill has no room for the file of a large transaction, and TestDiskFullInSnapshot none for the first
// copy.
func TestDiskFullInSpill(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	to := receive(t)
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}", webhookYAML{id: "a", url: to.URL})
	i.onTmpfs(t, 200)
	p := i.start(t)
	filler := i.fillDisk(t)
	const todos = 30
	pg.Exec(t, "postgres", fmt.Sprintf(`INSERT INTO todos (id, title, todo_list_id, text)
		SELECT 't' || i, 't', 'clakt9v5t000kvt64f563l90l', repeat('x', 1000000) FROM generate_series(1, %d) i`, todos))
	wantFullDisk(t, p.wait(), p.log())
	remove(t, filler)
	p = i.start(t)
	waitUntil(t, "all todos", func() bool { return came(to, "/", "TODO_CREATED") == todos })
	p.stop()
}

func TestDiskFullInSnapshot(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+blueschema.InsertTodoCreated()+`
		INSERT INTO comments (id, text, todo_id) SELECT 'c' || i,
			(SELECT string_agg(md5(i || ' ' || j), '') FROM generate_series(1, 32768) j), 'clb4zna6x0000vt1swuwso25f'
		FROM generate_series(1, 60) i`)
	i := install(t, pg.URL("postgres"), "", webhookYAML{id: "a", url: "https://example.com/"})
	i.onTmpfs(t, 30)
	code, _, stderr := command(t, "run", "--config", i.config)
	wantFullDisk(t, code, strings.Split(strings.TrimSpace(stderr), "\n"))
	if out, err := exec.Command("mount", "-o", "remount,size=300m", i.state).CombinedOutput(); err != nil {
		t.Fatalf("remount: %v: %s", err, out)
	}
	i.start(t)
	if status, err := control.AskStatus(t.Context(), i.state); err != nil || status.Source.Snapshot != "ready" {
		t.Errorf("%v: %+v", err, status)
	}
}
