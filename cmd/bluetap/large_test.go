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
)

// largeRows times largeText is several times what one transaction may hold in memory, before and after.
const (
	largeRows = 30_000 / slow
	largeText = 1500
)

// TestLargeTransaction changes more rows in one transaction than fit into memory, kills the daemon at three moments
// after it is staged, and wants each event once by id, with both its values.
func TestLargeTransaction(t *testing.T) {
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+fmt.Sprintf(`
		INSERT INTO todos (id, title, text, todo_list_id)
		SELECT 't' || i, 'before ' || i, repeat('x', %d), 'clakt9v5t000kvt64f563l90l' FROM generate_series(1, %d) i`,
		largeText, largeRows))
	to := receive(t)
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8], concurrency: 64}",
		webhookYAML{id: "large", url: to.URL})
	p := i.start(t)
	pg.Exec(t, "postgres", "UPDATE todos SET title = 'after' || substr(title, 7)")
	p.waitLog("large transaction staged")
	for _, moment := range []time.Duration{0, 200 * time.Millisecond, time.Second} {
		<-time.After(moment)
		p.kill()
		p = i.run(t)
		p.waitLog("resuming staged transaction")
	}
	began := time.Now()
	ids := map[string]bool{}
	all := to.waitFor(t, "the last event", func(d delivery) bool {
		ids[d.id] = true
		return len(ids) == largeRows
	})
	t.Logf("%d events %s after the last kill, %d deliveries, peak RSS %d MiB", largeRows,
		time.Since(began).Round(time.Millisecond), len(all), p.peakRSS()>>20)
	checkLarge(t, all)
	i.waitEmpty(t)
	if got := len(to.deliveries()); got != len(all) {
		t.Errorf("%d deliveries after the last event", got-len(all))
	}
}

// checkLarge wants one event for every row, and both values as of the transaction.
func checkLarge(t *testing.T, all []delivery) {
	t.Helper()
	first, _ := firsts(t, all)
	seen := map[string]bool{}
	for _, d := range first {
		var body struct{ PreviousValue, CurrentValue value }
		if err := json.Unmarshal([]byte(d.body), &body); err != nil {
			t.Fatal(err)
		}
		n := strings.TrimPrefix(body.CurrentValue.ID, "t")
		if d.event != "TODO_NAME_CHANGED" || body.PreviousValue.Title != "before "+n ||
			body.CurrentValue.Title != "after "+n || len(body.CurrentValue.Text) != largeText || seen[n] {
			t.Fatalf("%s of row %s: from %q to %q", d.event, n, body.PreviousValue.Title, body.CurrentValue.Title)
		}
		seen[n] = true
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
