package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
)

// stage is a database with what every case finds, and a real daemon, with the least rights that it can do with, that
// sends Blue's events to one receiver, its own to another, and Blue's short form to a third.
type stage struct {
	layout                  layout
	pg                      *pgtest.Server
	to, extensions, records *receiver
	install                 *instance
	daemon                  *process
	plays                   int
}

// setting is how a stage differs from Blue's schema and the default configuration.
type setting struct {
	layout   layout
	alter    string // SQL that changes the schema while it is empty
	ready    string // SQL that is run last before the daemon's first start
	database string // YAML under database, further lines indented by two
	webhooks []webhookYAML
}

// newStage starts them; alter changes the schema before the daemon's first start.
func newStage(t *testing.T, alter string) *stage {
	t.Helper()
	return newStageOf(t, setting{alter: alter})
}

func newStageOf(t *testing.T, in setting) *stage {
	t.Helper()
	s := &stage{layout: in.layout, pg: pgtest.Start(t, pgtest.WithParam("max_prepared_transactions", "2")),
		to: receive(t), extensions: receive(t), records: receive(t)}
	s.pg.Exec(t, "postgres",
		in.layout.rename(blueschema.SQL()+in.alter+blueschema.SeedTodoCreated()+readFile(t, fixture)+in.ready))
	// One request at a time keeps the order of commits over all records.
	const oneByOne = "delivery: {allowedNetworks: [127.0.0.0/8], concurrency: 1}"
	webhooks := append([]webhookYAML{{id: "golden", url: s.to.URL},
		{id: "extensions", url: s.extensions.URL, extra: []string{
			"events: [TODO_UPDATED, TODO_DESCRIPTION_CHANGED, TODO_LIST_MOVED, TAG_CREATED]"}},
		{id: "records", url: s.records.URL, extra: []string{"format: record"}}}, in.webhooks...)
	url := leastURL(t, s.pg)
	s.install = install(t, url, oneByOne, webhooks...)
	s.install.write(t, url, in.database, oneByOne, webhooks)
	grantLeast(t, s.pg, s.install)
	s.daemon = s.install.start(t)
	return s
}

// play runs a case and compares what it gives with its golden file: what the webhook gets that names the extensions,
// if the case's name begins with extension_, or that of format record, if it begins with record_.
func (s *stage) play(t *testing.T, file string) []delivery {
	t.Helper()
	to, marks := s.to, tagMark
	switch kind, _, _ := strings.Cut(filepath.Base(file), "_"); kind {
	case "extension":
		to = s.extensions
	case "record":
		to, marks = s.records, todoMark
	}
	marks.layout = s.layout
	given, when, ok := strings.Cut(readFile(t, file), "-- when\n")
	if !ok {
		t.Fatal(`the case has no line "-- when"`)
	}
	s.plays++
	marks.set(t, s.pg, to, fmt.Sprintf("%d-given", s.plays), given)
	bodies := marks.set(t, s.pg, to, fmt.Sprintf("%d-when", s.plays), when)
	// The address of the test's server changes from run to run and stands in every body.
	got := strings.ReplaceAll(joinBodies(bodies), to.URL, "http://receiver")
	compareGolden(t, file, got, *update && s.layout.names == nil)
	return bodies
}

// playAll runs every case of a directory, but for those named, and returns what came.
func (s *stage) playAll(t *testing.T, dir string, except ...string) []delivery {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	var all []delivery
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".sql")
		if file == fixture || slices.Contains(except, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			all = append(all, s.play(t, file)...)
		})
	}
	return all
}

// stop ends the daemon as an operator does, once all receivers have all that is theirs.
func (s *stage) stop(t *testing.T) {
	t.Helper()
	s.install.waitEmpty(t)
	if code := s.daemon.stop(); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
}

// marker is a row that a test inserts to know, when its event comes, that all before it has come.
type marker struct {
	event, insert string
	layout        layout
}

// A webhook of format record hears of todos alone.
var (
	tagMark = marker{event: "TAG_CREATED",
		insert: "INSERT INTO tags (id, title, project_id) VALUES ('mark-%s', 'mark', 'web');"}
	todoMark = marker{event: "RECORD_CREATED",
		insert: "INSERT INTO todos (id, title, todo_list_id) VALUES ('mark-%s', 'mark', 'backlog');"}
)

// set runs sql and then sets the mark id; it returns what was delivered since the mark before.
func (m marker) set(t *testing.T, pg *pgtest.Server, to *receiver, id, sql string) []delivery {
	t.Helper()
	before := len(to.deliveries())
	pg.Exec(t, "postgres", m.layout.rename(sql+"\n"+fmt.Sprintf(m.insert, id)))
	all := to.waitForBody(t, m.event, `"mark-`+id+`"`)
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

func compareGolden(t *testing.T, file, got string, write bool) {
	t.Helper()
	path := strings.TrimSuffix(file, ".sql") + ".golden"
	if write {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want := readFile(t, path); got != want {
		t.Errorf("bodies differ from %s\n got:\n%s\nwant:\n%s", path, got, want)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
