package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
	"bluetap/mapping"
)

var update = flag.Bool("update", false, "write the golden files anew")

const eventCases = "../../mapping/testdata/events"

// TestEvents commits plain SQL to a real Postgres and compares every body that a real daemon sends with a golden
// file, for each rule of the event table and for what must give nothing.
func TestEvents(t *testing.T) {
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+readFile(t, "fixture.sql"))
	to := receive(t)
	// One request at a time keeps the order of commits over all records.
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8], concurrency: 1}",
		webhookYAML{id: "golden", url: to.URL})
	// The address of the test's server changes from run to run and stands in every body.
	p := i.start(t)
	files, err := filepath.Glob(filepath.Join(eventCases, "*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	fired := map[string]bool{}
	for n, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".sql")
		if name == "fixture" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			given, when, ok := strings.Cut(readFile(t, name+".sql"), "-- when\n")
			if !ok {
				t.Fatal(`the case has no line "-- when"`)
			}
			mark(t, pg, to, fmt.Sprintf("%d-given", n), given)
			bodies := mark(t, pg, to, fmt.Sprintf("%d-when", n), when)
			for _, d := range bodies {
				fired[d.event] = true
			}
			compareGolden(t, name, strings.ReplaceAll(joinBodies(bodies), to.URL, "http://receiver"))
		})
	}
	for _, event := range mapping.EventTypes() {
		if !fired[event] {
			t.Errorf("no case fires %s", event)
		}
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
}

// mark runs sql and then creates a tag named by the mark; it returns what was delivered since the mark before.
func mark(t *testing.T, pg *pgtest.Server, to *receiver, id, sql string) []delivery {
	t.Helper()
	before := len(to.deliveries())
	pg.Exec(t, "postgres", sql+
		fmt.Sprintf("\nINSERT INTO tags (id, title, project_id) VALUES ('mark-%s', 'mark', 'web');", id))
	all := to.waitForBody(t, "TAG_CREATED", `"mark-`+id+`"`)
	return all[before : len(all)-1]
}

func joinBodies(deliveries []delivery) string {
	var b strings.Builder
	for _, d := range deliveries {
		b.WriteString(d.body)
		b.WriteByte('\n')
	}
	return b.String()
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(eventCases, name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want := readFile(t, name+".golden"); got != want {
		t.Errorf("bodies differ from %s\n got:\n%s\nwant:\n%s", path, got, want)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(eventCases, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
