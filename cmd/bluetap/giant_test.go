//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
	"bluetap/internal/racetest"
)

const (
	// giantRows is how many rows each transaction of TestGiant touches, unless giantVariable says otherwise.
	giantRows     = 60_000
	giantVariable = "BLUETAP_GIANT_ROWS"
	// giantMemory is what the daemon may take.
	giantMemory = 256 << 20
	// giantTimeout is the server's wal_sender_timeout: it ends the connection if no status comes for so long.
	giantTimeout = "5s"
)

// giant is a transaction of n rows, and how many events it is.
type giant struct {
	name   string
	sql    func(n int) string
	events func(n int) int
}

// giantTodo is a todo of about 600 bytes as Postgres sends it.
const giantTodo = `INSERT INTO todos (id, title, text, todo_list_id) SELECT 'clb4zna6x' || md5(i::text), 'before ' || i,
	repeat('some text ', 35), 'clakt9v5t000kvt64f563l90l' FROM generate_series(%d, %d) i;`

// giants run one after the other on one database, which holds three quarters of n todos before.
var giants = []giant{
	{
		name: "import",
		sql: func(n int) string {
			return fmt.Sprintf("BEGIN;"+giantTodo+`
				INSERT INTO todo_tags (id, todo_id, tag_id) SELECT 'tt' || md5(i::text), 'clb4zna6x' || md5(i::text),
					'tag' || 1 + i %% 10 FROM generate_series(%[1]d, %[2]d) i;
				INSERT INTO todo_users (id, todo_id, user_id) SELECT 'tu' || md5(i::text), 'clb4zna6x' || md5(i::text),
					'user' || 1 + i %% 10 FROM generate_series(%[1]d, %[2]d) i;
				INSERT INTO comments (id, todo_id, text, html, user_id) SELECT 'c' || md5(i::text),
					'clb4zna6x' || md5(i::text), repeat('a comment ', 10), repeat('a comment ', 10), 'user1'
					FROM generate_series(%[1]d, %[2]d) i; COMMIT;`, n-n/4+1, n)
		},
		events: func(n int) int { return n/4 + n/4 },
	},
	{
		name:   "update",
		sql:    func(int) string { return "UPDATE todos SET title = 'after' || substr(title, 7);" },
		events: func(n int) int { return n },
	},
	{
		name:   "truncate",
		sql:    func(int) string { return "TRUNCATE todos CASCADE;" },
		events: func(n int) int { return n + n/4 },
	},
}

// TestGiant runs the three giant transactions through the static binary, with a receiver that is well, and prints what
// each takes, after one more whose daemon is killed once it is staged. It wants every event once by id, at most
// 256 MiB, and a connection that is never lost.
func TestGiant(t *testing.T) {
	if racetest.Enabled {
		t.Skip("memory and time under the race detector tell nothing")
	}
	n := giantRows
	if given := os.Getenv(giantVariable); given != "" {
		var err error
		if n, err = strconv.Atoi(given); err != nil {
			t.Fatal(err)
		}
	}
	pg := pgtest.Start(t, pgtest.WithParam("wal_sender_timeout", giantTimeout), pgtest.WithParam("max_wal_size", "8GB"))
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+`
		INSERT INTO users (id, email) SELECT 'user' || i, i FROM generate_series(1, 10) i;
		INSERT INTO tags (id, title, project_id) SELECT 'tag' || i, 'tag', (SELECT id FROM projects)
			FROM generate_series(1, 10) i;`)
	conn := pg.Conn(t, "postgres")
	exec := func(sql string) { // as psql of pgtest is cut off after a minute
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(fmt.Sprintf(giantTodo, 1, n-n/4))
	to := countEvents(t)
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8], concurrency: 64, maxQueue: 100GiB}",
		webhookYAML{id: "giant", url: to.URL})
	binary := staticBinary(t)
	p := i.runAs(t, binary)
	p.waitLog("streaming")
	table := &strings.Builder{}
	w := tabwriter.NewWriter(table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "transaction\trows\tevents\tsend\tstage\tmap\tapply\tdeliver\tCPU\tdisk, bytes\tpeak RSS, MiB\t")
	fmt.Fprintf(w, "first snapshot\t%d\t0\t\t\t\t\t\t%s\t%d\t%d\t\n", n-n/4, p.cpu(t), i.disk(t), p.peakRSS()>>20)
	p.dieAt("large transaction staged")
	exec("UPDATE todos SET title = 'resume' || substr(title, 7)")
	p.waitLog("large transaction staged")
	p = i.resumedGiant(t, binary, to, n-n/4)
	for k, g := range giants {
		p.forgetPeak(t)
		cpu, began := p.cpu(t), time.Now()
		exec(g.sql(n))
		committed := time.Now()
		disk := to.waitCount(t, g.events(n), func() int64 { return i.disk(t) })
		took := p.stagesOf(t, k)
		peak := p.peakRSS()
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t\n", g.name, took.rows, g.events(n),
			committed.Sub(began).Round(time.Millisecond), took.stage, took.mapping, took.apply,
			time.Since(took.applied).Round(time.Millisecond), p.cpu(t)-cpu, disk, peak>>20)
		t.Logf("%s: staged in %s, mapped in %s, applied in %s, peak RSS %d MiB", g.name, took.stage, took.mapping, took.apply,
			peak>>20)
		wantMemory(t, g.name, peak)
		i.waitEmpty(t)
		to.reset(t, g.events(n))
	}
	_ = w.Flush()
	t.Logf("\n%s", table)
	for _, line := range p.log() {
		if strings.Contains(line, "streaming again") || strings.Contains(line, "interrupted") {
			t.Errorf("the connection was lost: %s", line)
		}
	}
}

// resumedGiant lets another process finish what the last was killed in, of so many events, and returns one that has
// done nothing yet.
func (i *instance) resumedGiant(t *testing.T, binary string, to *counter, events int) *process {
	t.Helper()
	p := i.runAs(t, binary)
	p.waitLog("resuming staged transaction")
	to.waitCount(t, events, func() int64 { return 0 })
	i.waitEmpty(t)
	t.Logf("resumed: peak RSS %d MiB", p.peakRSS()>>20)
	wantMemory(t, "resumed", p.peakRSS())
	to.reset(t, events)
	if code := p.stop(); code != exitOK {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	p = i.runAs(t, binary)
	p.waitLog("streaming")
	return p
}

func wantMemory(t *testing.T, name string, peak int64) {
	t.Helper()
	if peak <= 0 || peak > giantMemory {
		t.Errorf("%s: peak RSS %d MiB, want at most %d", name, peak>>20, giantMemory>>20)
	}
}

// staticBinary builds bluetap as it is shipped.
func staticBinary(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "bluetap")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

// forgetPeak makes peakRSS begin anew.
func (p *process) forgetPeak(t *testing.T) {
	t.Helper()
	err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0) // proc(5)
	if err != nil {
		t.Log("peaks are of all transactions so far: ", err)
	}
}

// cpu returns the processor time that the process has taken.
func (p *process) cpu(t *testing.T) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	fields, ticks := strings.Fields(after), 0
	for _, f := range fields[11:13] { // utime and stime, proc(5)
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// disk returns how many bytes the state takes.
func (i *instance) disk(t *testing.T) int64 {
	t.Helper()
	var sum int64
	_ = filepath.WalkDir(i.state, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // a file that has gone meanwhile
		}
		if info, err := d.Info(); err == nil {
			if s, ok := info.Sys().(*syscall.Stat_t); ok {
				sum += s.Blocks * 512
			}
		}
		return nil
	})
	return sum
}

// stages is how long a large transaction was in each, by the log.
type stages struct {
	rows                  int
	stage, mapping, apply string
	applied               time.Time
}

// stagesOf returns those of the k-th large transaction.
func (p *process) stagesOf(t *testing.T, k int) stages {
	t.Helper()
	found := map[string][]struct {
		Time time.Time
		Msg  string
		Took string
		Rows int
	}{}
	for _, line := range p.log() {
		var r struct {
			Time time.Time
			Msg  string
			Took string
			Rows int
		}
		if json.Unmarshal([]byte(line), &r) == nil {
			found[r.Msg] = append(found[r.Msg], r)
		}
	}
	staged, mapped, applied := found["large transaction staged"], found["large transaction mapped"],
		found["large transaction applied"]
	if len(staged) != k+1 || len(mapped) != k+1 || len(applied) != k+1 {
		t.Fatalf("%d transactions were staged, %d mapped, %d applied, want %d", len(staged), len(mapped), len(applied), k+1)
	}
	return stages{rows: staged[k].Rows, stage: staged[k].Took, mapping: mapped[k].Took, apply: applied[k].Took,
		applied: applied[k].Time}
}
