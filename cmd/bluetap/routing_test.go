package main

import (
	"slices"
	"strings"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
)

// TestRouting has a webhook for each way to say what it wants; the last event goes to all that are enabled.
func TestRouting(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+`
		INSERT INTO companies (id, slug, name) VALUES ('c1', 'c1', 'One'), ('c2', 'c2', 'Two');
		INSERT INTO projects (id, slug, name, company_id) VALUES ('p1', 'p1', 'One', 'c1'), ('p2', 'p2', 'Two', 'c2');
		INSERT INTO todo_lists (id, title, project_id) VALUES ('l1', 'One', 'p1'), ('l2', 'Two', 'p2');`)
	cases := []struct {
		id   string
		keys []string
		want []string
	}{
		{"all", nil,
			[]string{"TODO_CREATED", "TODO_CREATED", "TODO_MOVED", "COMMENT_CREATED", "TODO_DELETED", "TODO_DELETED"}},
		{"one-type", []string{"events: [TODO_MOVED, TODO_DELETED]"},
			[]string{"TODO_MOVED", "TODO_DELETED", "TODO_DELETED"}},
		{"extension", []string{"events: [TODO_UPDATED, TODO_DELETED]"},
			[]string{"TODO_UPDATED", "TODO_DELETED", "TODO_DELETED"}},
		// A todo that is moved belongs to the project that it leaves and to the one that it comes to.
		{"one-project", []string{"projectIds: [p1]"}, []string{"TODO_CREATED", "TODO_MOVED"}},
		{"other-project", []string{"projectIds: [p2, nope]"},
			[]string{"TODO_CREATED", "TODO_MOVED", "TODO_DELETED", "TODO_DELETED"}},
		{"one-company", []string{"companyIds: [c2]", "events: [TODO_CREATED, TODO_DELETED]"},
			[]string{"TODO_CREATED", "TODO_DELETED", "TODO_DELETED"}},
		{"contradiction", []string{"companyIds: [c1]", "projectIds: [p2]", "events: [TODO_CREATED]"}, nil},
		{"disabled", []string{"enabled: false"}, nil},
	}
	to := receive(t)
	var webhooks []webhookYAML
	for _, c := range cases {
		webhooks = append(webhooks, webhookYAML{id: c.id, url: to.URL + "/" + c.id, extra: append(c.keys, "concurrency: 1")})
	}
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}", webhooks...)
	i.start(t)
	pg.Exec(t, "postgres", `
		INSERT INTO todos (id, title, todo_list_id) VALUES ('t1', 'One', 'l1');
		INSERT INTO todos (id, title, todo_list_id) VALUES ('t2', 'Two', 'l2');
		UPDATE todos SET todo_list_id = 'l2' WHERE id = 't1';
		INSERT INTO comments (id, text, category, discussion_id) VALUES ('k', 'x', 'DISCUSSION', 'd');
		DELETE FROM projects WHERE id = 'p1';
		DELETE FROM todos WHERE id = 't1';
		DELETE FROM todos WHERE id = 't2';`)
	to.waitFor(t, "the last event", func(d delivery) bool {
		return d.path == "/all" && d.event == "TODO_DELETED" && strings.Contains(d.body, `"id":"t2"`)
	})
	i.waitEmpty(t)
	got := map[string][]string{}
	for _, d := range to.deliveries() {
		if d.event != "TODO_LIST_DELETED" {
			got[d.path] = append(got[d.path], d.event)
		}
	}
	for _, c := range cases {
		if !slices.Equal(got["/"+c.id], c.want) {
			t.Errorf("%s: got %v, want %v", c.id, got["/"+c.id], c.want)
		}
	}
}
