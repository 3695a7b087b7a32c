//go:build linux

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
	"bluetap/internal/racetest"
)

// forecasts are large transactions one after the other on one database of 20,000 todos and 20 tags. What they come to
// is not alike for a byte of them: from rows that are written again and again to small ones whose events are large.
var forecasts = []struct{ name, sql string }{
	{"update", "UPDATE todos SET title = 'after' || id"},
	{"rewrite", "DO $$ BEGIN FOR n IN 1..5 LOOP UPDATE todos SET title = n || ' times ' || id; END LOOP; END $$"},
	{"nested", `INSERT INTO comments (id, todo_id, text, html, user_id) SELECT 'c' || i, 't' || 1 + i % 1500,
		(SELECT string_agg(md5(i::text || j), ' ') FROM generate_series(1, 60) j), '', 'user1'
		FROM generate_series(1, 15000) i`},
	{"import", `INSERT INTO todos (id, title, text, todo_list_id) SELECT 'new' || i, 'new ' || i,
			(SELECT string_agg(md5(i::text || j), ' ') FROM generate_series(1, 15) j), 'clakt9v5t000kvt64f563l90l'
			FROM generate_series(1, 15000) i;
		INSERT INTO todo_tags (id, todo_id, tag_id) SELECT 'nt' || i, 'new' || i, 'tag' || 1 + i % 10
			FROM generate_series(1, 15000) i;
		INSERT INTO todo_users (id, todo_id, user_id) SELECT 'nu' || i, 'new' || i, 'user1'
			FROM generate_series(1, 15000) i;
		INSERT INTO comments (id, todo_id, text, html, user_id) SELECT 'nc' || i, 'new' || i, repeat('a comment ', 10),
			'', 'user1' FROM generate_series(1, 15000) i`},
	{"tags", `INSERT INTO todo_tags (id, todo_id, tag_id) SELECT 'tt' || i || 'x' || j, 't' || i, 'tag' || j
		FROM generate_series(1, 2700) i, generate_series(1, 20) j`},
	{"several webhooks", "UPDATE todos SET title = 'again' || id"},
}

// TestRoomForecast compares what a large transaction is said to need, once its first events are made, with what it
// then takes. That may be less by more: what Pebble rewrites meanwhile, as of rows that were written again and again,
// gives room back that cannot be counted on. `make giant` plays all of them.
func TestRoomForecast(t *testing.T) {
	t.Parallel()
	if racetest.Enabled {
		t.Skip("the sizes are those of a whole transaction")
	}
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+`
		INSERT INTO users (id, email) VALUES ('user1', 'a');
		INSERT INTO tags (id, title, project_id) SELECT 'tag' || i, 'tag', (SELECT id FROM projects)
			FROM generate_series(1, 20) i;
		INSERT INTO todos (id, title, text, todo_list_id) SELECT 't' || i, 'first ' || i,
			(SELECT string_agg(md5(i::text || j), ' ') FROM generate_series(1, 30) j), 'clakt9v5t000kvt64f563l90l'
			FROM generate_series(1, 20000) i`)
	release := make(chan struct{})
	to := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release })) // takes no time
	t.Cleanup(to.Close)
	t.Cleanup(func() { close(release) })
	const options = "delivery: {allowedNetworks: [127.0.0.0/8], concurrency: 64, maxQueue: 100GiB}"
	conn := pg.Conn(t, "postgres") // as psql of pgtest is cut off after a minute
	for _, f := range forecasts {
		if os.Getenv(giantVariable) == "" && !slices.Contains([]string{"nested", "tags"}, f.name) {
			continue // a quarter of a minute each
		}
		webhooks := []webhookYAML{{id: "one", url: to.URL}}
		if f.name == "several webhooks" {
			webhooks = append(webhooks, webhookYAML{id: "two", url: to.URL}, webhookYAML{id: "three", url: to.URL})
		}
		i := install(t, pg.URL("postgres"), options, webhooks...) // anew: what others leave is given back in between
		p := i.start(t)
		free := i.disk(t)
		if _, err := conn.Exec(t.Context(), f.sql); err != nil {
			t.Fatal(err)
		}
		needs, took, whole := p.measured(t, i, 0)
		t.Logf("%s: said to need %d MiB more, took %d; in all %d", f.name, needs>>20, took>>20, (whole-free)>>20)
		if needs > 3*took || took > 2*needs {
			t.Errorf("%s: needs %d bytes, and took %d", f.name, needs, took)
		}
		p.stop()
		pg.Exec(t, "postgres", "SELECT pg_drop_replication_slot('bluetap')")
	}
}

// measured waits for the n-th large transaction, and returns what it was said to need, what it took from then on, and
// the most that the state came to.
func (p *process) measured(t *testing.T, i *instance, n int) (needs, took, most int64) {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	var before int64
	for began := time.Now(); ; {
		if now := <-look.C; now.Sub(began) > patience {
			t.Fatal("the transaction is not applied")
		}
		most = max(most, i.disk(t))
		said, applied := 0, 0
		for _, line := range p.log() {
			if _, after, ok := strings.Cut(line, `"needs":`); ok {
				if said++; said == n+1 && needs == 0 {
					digits, _, _ := strings.Cut(strings.TrimRight(after, "}"), ",")
					var err error
					if needs, err = strconv.ParseInt(digits, 10, 64); err != nil {
						t.Fatal(fmt.Errorf("%s: %w", line, err))
					}
					before = i.disk(t)
				}
			}
			if strings.Contains(line, "large transaction applied") {
				applied++
			}
		}
		if applied == n+1 {
			return needs, most - before, most
		}
	}
}
