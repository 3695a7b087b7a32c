package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
)

var filterExample = regexp.MustCompile("(?s)```yaml\n(.*?)```\n```sql\n(.*?)```\n```text\n(.*?)```")

// TestFilterExamples runs what docs/filters.md shows: each webhook gets just what stands there.
func TestFilterExamples(t *testing.T) {
	t.Parallel()
	examples := filterExample.FindAllStringSubmatch(readFile(t, "../../docs/filters.md"), -1)
	if len(examples) != 3 {
		t.Fatalf("%d examples, want 3", len(examples))
	}
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+readFile(t, fixture))
	to := receive(t)
	webhooks := []webhookYAML{{id: "last", url: to.URL + "/last", extra: []string{"events: [TAG_CREATED]"}}}
	for n, example := range examples {
		webhooks = append(webhooks, webhookYAML{id: fmt.Sprintf("w%d", n), url: fmt.Sprintf("%s/w%d", to.URL, n),
			extra: append(strings.Split(strings.TrimSuffix(example[1], "\n"), "\n"), "concurrency: 1")})
	}
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}", webhooks...)
	i.start(t)
	for _, example := range examples {
		pg.Exec(t, "postgres", example[2])
	}
	pg.Exec(t, "postgres", "INSERT INTO tags (id, title, project_id) VALUES ('last', 'last', 'web')")
	to.waitForBody(t, "TAG_CREATED", `"id":"last"`)
	i.waitEmpty(t)
	for n, example := range examples {
		var got []string
		for _, d := range to.deliveries() {
			if d.path == fmt.Sprintf("/w%d", n) {
				got = append(got, d.event)
			}
		}
		if want := strings.Fields(example[3]); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("example %d: got %v, want %v", n+1, got, want)
		}
	}
}
