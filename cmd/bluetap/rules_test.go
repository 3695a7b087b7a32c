package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
	"bluetap/internal/racetest"
	"bluetap/internal/store"
)

// TestOtherRules kills the daemon while it maps a large transaction, and starts it again with a table less and a
// webhook more, and kills it once more: both webhooks get each event of it, once by id.
func TestOtherRules(t *testing.T) {
	racetest.SkipLarge(t)
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+fmt.Sprintf(`
		INSERT INTO todo_lists (id, title, project_id) SELECT 'l' || i, 'first', (SELECT id FROM projects)
		FROM generate_series(1, %d) i;
		INSERT INTO todos (id, title, text, todo_list_id)
		SELECT 't' || i, 'first ' || i, repeat('x', %d), 'clakt9v5t000kvt64f563l90l' FROM generate_series(1, %d) i`,
		largeRows/10, largeText, largeRows))
	before, added := countEvents(t), countEvents(t)
	const options = "delivery: {allowedNetworks: [127.0.0.0/8], concurrency: 64}"
	events := []string{"events: [TODO_NAME_CHANGED]"}
	webhooks := []webhookYAML{{"before", before.URL, events}, {"added", added.URL, events}}
	i := install(t, pg.URL("postgres"), options, webhooks[0])
	p := i.start(t)
	// Rows are mapped by table, lists before todos: without that table the same events have other numbers.
	pg.Exec(t, "postgres", "BEGIN; UPDATE todo_lists SET title = 'after'; UPDATE todos SET title = 'after'; COMMIT")
	p.waitLog("large transaction staged")
	i.killCounted(t, p)

	i.write(t, pg.URL("postgres"), "tables: {todoList: {enabled: false}}", options, webhooks)
	for _, anew := range []bool{true, false} {
		p = i.run(t)
		resumed := p.waitLog("resuming staged transaction")
		if resumed["anew"] != anew || resumed["events"] == 0.0 {
			t.Errorf("resumed with %v, want some events, and anew %v", resumed, anew)
		}
		if anew {
			i.killCounted(t, p)
		}
	}
	for _, to := range []*counter{before, added} {
		to.waitCount(t, largeRows, func() int64 { return 0 })
	}
	i.waitEmpty(t)
	before.reset(t, largeRows)
	added.reset(t, largeRows)
}

// killCounted kills the daemon once it has counted a table of events on disk also: that count is not fsynced, and may
// be lost with the process.
func (i *instance) killCounted(t *testing.T, p *process) {
	t.Helper()
	for {
		i.waitEventTable(t)
		p.kill()
		st, err := store.OpenReadOnly(i.state, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		staged, ok, err := st.Staged()
		if err := errors.Join(err, st.Close()); err != nil || !ok || staged.Mapped {
			t.Fatalf("nothing to resume: %t, %+v, %v", ok, staged, err)
		}
		if staged.Cursor > 0 {
			return
		}
		p = i.run(t)
		p.waitLog("resuming staged transaction")
	}
}

// waitEventTable waits until a table of events of a staged transaction has been counted: then the next is begun.
func (i *instance) waitEventTable(t *testing.T) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	tables, timeout := map[string]bool{}, time.After(patience)
	for len(tables) < 2 {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("no table of events in %s", patience)
		}
		files, err := os.ReadDir(i.state)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f.Name(), ".load") {
				tables[f.Name()] = true
			}
		}
	}
}
