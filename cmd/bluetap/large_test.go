package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
	"bluetap/internal/racetest"
)

// largeRows times largeText is more than one transaction may hold in memory, both as it is received and as its rows
// before and after.
const (
	largeRows = 15_000
	largeText = 1500
)

// neighbours is how many of the rows are changed also in the transactions before and after the large one.
const neighbours = 50

// killMoment is so long after a line of the log, or when some of the events are counted on disk.
type killMoment struct {
	after   string
	delay   time.Duration
	counted bool
}

// killMoments are when the daemon is killed, one after the other: each is about the process that was started after the
// kill before.
var killMoments = []killMoment{
	{after: "receiving large transaction"},
	{after: "large transaction received"},
	{after: "large transaction received", delay: 100 * time.Millisecond},
	{after: "large transaction staged"},
	{after: "resuming staged transaction"},
	{after: "resuming staged transaction", delay: 100 * time.Millisecond},
	{after: "resuming staged transaction", counted: true},
	{after: "large transaction mapped"},
	{after: "resuming staged transaction", delay: 50 * time.Millisecond},
}

// TestLargeTransaction changes more rows in one transaction than fit into memory, kills the daemon in every stage of
// it, and wants each event once by id, with both its values, and those of one row in the order of commits.
func TestLargeTransaction(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+fmt.Sprintf(`
		INSERT INTO todos (id, title, text, todo_list_id)
		SELECT 't' || i, 'first ' || i, repeat('x', %d), 'clakt9v5t000kvt64f563l90l' FROM generate_series(1, %d) i`,
		largeText, largeRows))
	to := receive(t)
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8], concurrency: 64}",
		webhookYAML{id: "large", url: to.URL})
	p := i.start(t)
	retitle := "UPDATE todos SET title = '%s ' || substr(id, 2)"
	some := fmt.Sprintf(" WHERE substr(id, 2)::int <= %d;", neighbours)
	pg.Exec(t, "postgres", fmt.Sprintf(retitle+some+retitle+";"+retitle+some, "before", "after", "last"))
	p = i.killInStages(t, p, killMoments)
	began := time.Now()
	ids := map[string]bool{}
	all := to.waitFor(t, "the last event", func(d delivery) bool {
		ids[d.id] = true
		return len(ids) == largeRows+2*neighbours
	})
	t.Logf("%d events %s after the last kill, %d deliveries, peak RSS %d MiB", largeRows,
		time.Since(began).Round(time.Millisecond), len(all), p.peakRSS()>>20)
	i.waitEmpty(t)
	checkLarge(t, to.deliveries())
}

// killInStages kills the daemon at each moment of a large transaction, and returns the process after the last.
func (i *instance) killInStages(t *testing.T, p *process, moments []killMoment) *process {
	t.Helper()
	kills := 0
	for n, m := range moments {
		if m.delay > 0 && racetest.Enabled {
			continue // it is so slow that it has got no further by then
		}
		if m.delay == 0 && !m.counted {
			p.dieAt(m.after)
		}
		if p.waitLog(m.after, "large transaction applied")["msg"] != m.after {
			t.Logf("only %d of %d kills", n, len(moments))
			break // a machine so slow that a kill came a stage late
		}
		<-time.After(m.delay)
		if m.counted {
			i.killCounted(t, p)
		}
		p.kill()
		kills++
		p = i.run(t)
	}
	if kills < 3 {
		t.Errorf("killed %d times, want at least 3", kills)
	}
	return p
}

// TestLargeKindsKilled does so to an import of rows with relations, and to a TRUNCATE, which is large only once it is
// staged: each event is queued once.
func TestLargeKindsKilled(t *testing.T) {
	racetest.SkipLarge(t)
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	to := countEvents(t)
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8], concurrency: 64}",
		webhookYAML{id: "large", url: to.URL})
	p, all := i.start(t), uint64(0)
	for _, c := range []struct {
		name, sql string
		events    int
		moments   []killMoment
	}{
		{"import", fmt.Sprintf(`BEGIN;
			INSERT INTO todos (id, title, text, todo_list_id)
				SELECT 't' || i, 'todo ' || i, repeat('x', %[1]d), 'clakt9v5t000kvt64f563l90l' FROM generate_series(1, %[2]d) i;
			INSERT INTO comments (id, todo_id, text) SELECT 'c' || i, 't' || i, repeat('x', %[1]d)
				FROM generate_series(1, %[2]d) i;
			COMMIT;`, largeText, largeRows), 2 * largeRows, killMoments},
		{"truncate", "TRUNCATE todos CASCADE", 2 * largeRows, killMoments[3:]},
	} {
		pg.Exec(t, "postgres", c.sql)
		p = i.killInStages(t, p, c.moments)
		to.waitCount(t, c.events, func() int64 { return 0 })
		i.waitEmpty(t)
		t.Logf("%s: %d events", c.name, c.events)
		to.reset(t, c.events)
		if all += uint64(c.events); i.webhook(t, "large").Delivered != all {
			t.Errorf("%s: %d deliveries so far, want %d", c.name, i.webhook(t, "large").Delivered, all)
		}
		if code := p.stop(); code != exitOK {
			t.Errorf("exit code %d after SIGTERM", code)
		}
		p = i.start(t)
	}
}

// checkLarge wants one event for every row and change of its title, in the order of commits, and both values as of the
// transaction.
func checkLarge(t *testing.T, all []delivery) {
	t.Helper()
	titles := map[string][]string{}
	first, _ := firsts(t, all)
	for _, d := range first {
		var body struct{ PreviousValue, CurrentValue value }
		if err := json.Unmarshal([]byte(d.body), &body); err != nil {
			t.Fatal(err)
		}
		n := strings.TrimPrefix(body.CurrentValue.ID, "t")
		if len(titles[n]) == 0 {
			titles[n] = []string{"first " + n}
		}
		known := titles[n]
		if d.event != "TODO_NAME_CHANGED" || body.PreviousValue.Title != known[len(known)-1] ||
			len(body.CurrentValue.Text) != largeText {
			t.Fatalf("%s of row %s: from %q to %q after %q", d.event, n, body.PreviousValue.Title, body.CurrentValue.Title,
				known)
		}
		titles[n] = append(known, body.CurrentValue.Title)
	}
	for n := 1; n <= largeRows; n++ {
		want := fmt.Sprintf("[first %[1]d after %[1]d]", n)
		if n <= neighbours {
			want = fmt.Sprintf("[first %[1]d before %[1]d after %[1]d last %[1]d]", n)
		}
		if got := fmt.Sprint(titles[strconv.Itoa(n)]); got != want {
			t.Fatalf("titles of row %d: %s, want %s", n, got, want)
		}
	}
}

// peakRSS returns the most memory that the process has had, in bytes; 0 where the system does not tell.
func (p *process) peakRSS() int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}
