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

// filtered are the events that the webhooks of TestFilters want, unless they say otherwise.
const filtered = "events: [TODO_CREATED, TODO_UPDATED, TODO_DELETED, TODO_TAG_ADDED, COMMENT_CREATED, " +
	"TODO_CUSTOM_FIELD_UPDATED]"

// filterCases hold a webhook for each way to narrow down what it gets, with what it gets of filterChanges before and
// after a restart.
var filterCases = []struct {
	id          string
	keys        []string
	before, end string
}{
	{"all", nil, "TODO_CREATED:t1 TODO_TAG_ADDED:t1 TODO_UPDATED:t1 COMMENT_CREATED:c1 TODO_CUSTOM_FIELD_UPDATED:t1 " +
		"TODO_CREATED:t2 TODO_UPDATED:t2", "TODO_UPDATED:t1 TODO_DELETED:t1 TODO_DELETED:t2 COMMENT_CREATED:c2"},
	{"tagged", []string{"filter: {tagTitles: [urgent]}"},
		"TODO_TAG_ADDED:t1 TODO_UPDATED:t1 COMMENT_CREATED:c1 TODO_CUSTOM_FIELD_UPDATED:t1",
		"TODO_UPDATED:t1 TODO_DELETED:t1"},
	{"starts", []string{"filter: {tagTitles: [urgent], match: startsMatching}"}, "TODO_TAG_ADDED:t1", ""},
	{"stops", []string{"filter: {done: false, match: stopsMatching}"}, "TODO_UPDATED:t2", "TODO_UPDATED:t1"},
	{"previous", []string{"filter: {done: true, match: previous}"}, "", "TODO_DELETED:t1 TODO_DELETED:t2"},
	{"due", []string{"filter: {dueStart: 2026-03-01, dueEnd: 2026-03-31}"},
		"TODO_UPDATED:t1 COMMENT_CREATED:c1 TODO_CUSTOM_FIELD_UPDATED:t1", "TODO_UPDATED:t1 TODO_DELETED:t1"},
	{"price", []string{"filter:", "  fields: [{customFieldId: price, op: GTE, values: [99.5]}]"},
		"TODO_CUSTOM_FIELD_UPDATED:t1", "TODO_UPDATED:t1 TODO_DELETED:t1"},
	{"search", []string{"filter: {search: RELEASE, notAssigneeIds: [ben]}"}, "TODO_CREATED:t2 TODO_UPDATED:t2",
		"TODO_DELETED:t2"},
	{"changed", []string{"changed: [duedAt, done]"}, "TODO_CREATED:t1 TODO_UPDATED:t1 COMMENT_CREATED:c1 " +
		"TODO_CREATED:t2 TODO_UPDATED:t2", "TODO_UPDATED:t1 TODO_DELETED:t1 TODO_DELETED:t2 COMMENT_CREATED:c2"},
	{"member", []string{"requireMembership: true", "createdById: ben"}, "TODO_CREATED:t1 TODO_TAG_ADDED:t1 " +
		"TODO_UPDATED:t1 COMMENT_CREATED:c1 TODO_CUSTOM_FIELD_UPDATED:t1", "TODO_UPDATED:t1"}, // then ben leaves
	{"if", []string{`if: '"urgent" in tags and record.duedAt != nil and "duedAt" in changed'`}, "TODO_UPDATED:t1", ""},
	{"numbers", []string{`if: 'any(record.todoCustomFields ?? [], .number > 99.5)'`}, "TODO_CUSTOM_FIELD_UPDATED:t1",
		"TODO_UPDATED:t1 TODO_DELETED:t1"},
	{"fails", []string{`if: 'record.duedAt < date("2026-01-01")'`}, "TODO_CREATED:t1 TODO_TAG_ADDED:t1 TODO_CREATED:t2 " +
		"TODO_UPDATED:t2", "TODO_DELETED:t2 COMMENT_CREATED:c2"},
	{"lists", []string{"filter: {todoListTitles: [Inbox]}"}, "TODO_CREATED:t2 TODO_UPDATED:t2", "TODO_DELETED:t2"},
}

// filterChanges are what the webhooks are told of, before a kill and after it.
var filterChanges = [2]string{`
	INSERT INTO todos (id, title, todo_list_id) VALUES ('t1', 'First', 'backlog');
	INSERT INTO todo_users (id, todo_id, user_id) VALUES ('u1', 't1', 'ben');
	INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('g1', 't1', 'urgent');
	UPDATE todos SET dued_at = '2026-03-31T23:59:59.999Z' WHERE id = 't1';
	INSERT INTO comments (id, text, todo_id) VALUES ('c1', 'Hi', 't1');
	INSERT INTO todo_custom_fields (id, number, todo_id, custom_field_id) VALUES ('v1', 99.50001, 't1', 'price');
	INSERT INTO todos (id, title, todo_list_id) VALUES ('t2', 'The release', 'inbox');
	UPDATE todos SET done = true WHERE id = 't2';`, `
	UPDATE todos SET done = true WHERE id = 't1';
	DELETE FROM project_users WHERE user_id = 'ben';
	DELETE FROM todos WHERE id = 't1';
	DELETE FROM todos WHERE id = 't2';
	INSERT INTO comments (id, text, category, discussion_id) VALUES ('c2', 'Hi', 'DISCUSSION', 'd');`}

// TestFilters has a dozen webhooks that ask for different things, over changes between which the daemon is killed:
// what Postgres sends again after the kill is routed again, and must go where it went.
func TestFilters(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+readFile(t, fixture)+
		`INSERT INTO project_users (id, project_id, user_id) VALUES ('m', 'web', 'ben');`)
	to := receive(t)
	var webhooks []webhookYAML
	for _, c := range filterCases {
		webhooks = append(webhooks, webhookYAML{id: c.id, url: to.URL + "/" + c.id,
			extra: append(c.keys, filtered, "concurrency: 1")})
	}
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}", webhooks...)
	p := i.start(t)
	pg.Exec(t, "postgres", filterChanges[0])
	to.waitFor(t, "the last of the first changes", func(d delivery) bool {
		return d.path == "/all" && d.event == "TODO_UPDATED" && strings.Contains(d.body, `"id":"t2"`)
	})
	p.kill()
	pg.Exec(t, "postgres", filterChanges[1])
	p = i.start(t)
	to.waitForBody(t, "COMMENT_CREATED", `"currentValue":{"id":"c2"`)
	status := i.waitEmpty(t)
	got := gotByPath(to)
	for n, c := range filterCases {
		if want := strings.TrimSpace(c.before + " " + c.end); got["/"+c.id] != want {
			t.Errorf("%s:\n got %s\nwant %s", c.id, got["/"+c.id], want)
		}
		if failed := status.Webhooks[n].IfFailures > 0; failed != (c.id == "fails") {
			t.Errorf("%s: if failed %d times", c.id, status.Webhooks[n].IfFailures)
		}
	}
	record := p.waitLog("if could not be evaluated, the event is delivered")
	if record["webhook"] != "fails" || record["column"] != float64(15) {
		t.Errorf("logged %v", record)
	}
	if code, out, _ := command(t, "status", "--config", i.config); code != 0 || !strings.Contains(out, "if failed") {
		t.Errorf("exit code %d, %s", code, out)
	}
}

// gotByPath returns the events that came to each path, each once, as TYPE:id.
func gotByPath(to *receiver) map[string]string {
	got, seen := map[string]string{}, map[string]bool{}
	for _, d := range to.deliveries() {
		if seen[d.path+d.id] {
			continue
		}
		seen[d.path+d.id] = true
		_, value, _ := strings.Cut(d.body, `Value":{"id":"`)
		id, _, _ := strings.Cut(value, `"`)
		got[d.path] = strings.TrimSpace(got[d.path] + " " + d.event + ":" + id)
	}
	return got
}

// TestFiltersThatCannotBeAsked has webhooks at fault of which only the database can tell: the file's lines, exit code
// 2, and nothing made in the database.
func TestFiltersThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+"DROP TABLE project_users")
	i := install(t, pg.URL("postgres"), "",
		webhookYAML{id: "a", url: "https://example.com/", extra: []string{"events: [TODO_CREATED]",
			"filter: {colors: ['#fff'], done: true}", "changed: [title, dueAt]", "createdById: ben", "requireMembership: true"}},
		webhookYAML{id: "b", url: "https://example.com/", extra: []string{"events: [TODO_CREATED]",
			"if: current.title > 5"}})
	code, _, stderr := command(t, "run", "--config", i.config)
	var got []string
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "{") {
			got = append(got, strings.TrimPrefix(strings.TrimSuffix(line, "\n"), i.config+":"))
		}
	}
	want := []string{"11: webhooks[0].filter.colors: table todos has no column for color",
		"12: webhooks[0].changed: no event that is wanted sends a field dueAt",
		"14: webhooks[0].requireMembership: the database has no table for entity projectUser",
		"18: webhooks[1].if: invalid operation: > (mismatched types string and int) (1:15)"}
	if code != 2 || !slices.Equal(got, want) {
		t.Errorf("exit code %d\n got %s\nwant %s", code, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	made := strings.TrimSpace(pg.Exec(t, "postgres",
		"SELECT (SELECT count(*) FROM pg_replication_slots) + (SELECT count(*) FROM pg_publication)"))
	if made != "0" {
		t.Errorf("%s slots and publications were made", made)
	}
}

// TestFilterFaults holds that a file with a bad expression is refused without a database, with the place.
func TestFilterFaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bluetap.yaml")
	text := fmt.Sprintf("database: {url: postgres://127.0.0.1:1/b}\nstate: {dir: %s}\nwebhooks:\n- id: a\n"+
		"  url: https://example.com/\n  if: record.createdAt < now()\n- id: b\n  url: https://example.com/\n"+
		"  events: [TAG_CREATED]\n  filter: {assigneeIds: [ben]}\n", t.TempDir())
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := command(t, "run", "--config", path)
	want := path + ":6: webhooks[0].if: now is not available: it reads the clock, and a replay must route alike (1:20)\n" +
		path + ":10: webhooks[1].filter.assigneeIds: cannot be asked of TAG_CREATED: " +
		"give that event a webhook without the key\n"
	if code != 2 || stderr != want {
		t.Errorf("exit code %d\n got %swant %s", code, stderr, want)
	}
}
