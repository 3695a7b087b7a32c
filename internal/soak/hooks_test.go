//go:build unix

package soak

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestWants lets the model say which webhooks an event is for, while a user joins and leaves the project, and a todo is
// finished, moved and gets another key.
func TestWants(t *testing.T) {
	p := &play{}
	p.commit(insert("companies", `{"id": "10000000"}`), insert("projects", `{"id": "80000000", "company_id": "10000000"}`),
		insert("projects", `{"id": "p", "company_id": "c"}`))
	p.commit(insert("todo_lists", `{"id": "l", "title": "", "project_id": "80000000"}`),
		insert("todo_lists", `{"id": "m", "title": "", "project_id": "p"}`))
	created := insert("todos", `{"id": "t", "title": "a", "done": false, "dued_at": null, "todo_list_id": "l"}`)
	p.commit(created)
	joined := insert("project_users", `{"id": "u", "project_id": "80000000", "user_id": "00000000"}`)
	p.commit(joined)
	text, withText := update("todos", created.new, `{"text": "x"}`)
	p.commit(text)
	named, withName := update("todos", withText, `{"title": "b"}`)
	p.commit(named)
	moved, withList := update("todos", withName, `{"todo_list_id": "m"}`)
	p.commit(moved, change{table: "project_users", op: 'D', old: joined.new})
	back, again := update("todos", withList, `{"todo_list_id": "l", "done": true, "title": "c"}`)
	p.commit(back)
	key, _ := update("todos", again, `{"id": "s"}`)
	p.commit(key)

	const all, project = "healthy faulty", "healthy faulty project"
	want := []string{
		"TODO_LIST_CREATED l " + project, "TODO_LIST_CREATED m " + all,
		"RECORD_CREATED t short", "TODO_CREATED t healthy faulty few project edges",
		"RECORD_UPDATED t short", "TODO_DESCRIPTION_CHANGED t few", "TODO_UPDATED t few",
		"RECORD_UPDATED t short", "TODO_NAME_CHANGED t healthy faulty few project member", "TODO_UPDATED t few edges",
		"RECORD_UPDATED t short", "TODO_MOVED t healthy faulty few project member", "TODO_UPDATED t few",
		"RECORD_UPDATED t short", "TODO_DONE_STATUS_UPDATED t " + project, "TODO_MOVED t healthy faulty few project",
		"TODO_NAME_CHANGED t healthy faulty few project", "TODO_UPDATED t few",
		"RECORD_CREATED s short", "RECORD_DELETED t short",
		"TODO_CREATED s healthy faulty few project", "TODO_DELETED t " + project,
	}
	var got []string
	w, hooks := newWorld(), newHooks()
	for _, c := range p.commits {
		step, err := w.apply(c)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, d := range step.due() {
			line := d.name + " " + d.id
			for _, h := range hooks {
				if h.wants(d) {
					line += " " + h.id
				}
			}
			lines = append(lines, line)
		}
		slices.Sort(lines)
		got = append(got, lines...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestShort lets the checker see a history in the short form, as it must be and with broken promises in it.
func TestShort(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(p *play)
		want  string
	}{
		"faultless": {func(*play) {}, ""},
		"dropped":   {func(p *play) { p.short = p.short[1:] }, "RECORD_CREATED of todo t in commit C8 is missing"},
		"an older state": {func(p *play) { p.short[1] = p.short[1].spoilt(`"title":"b"`, `"title":"a"`) },
			".record.title is a"},
		"one for each row": {func(p *play) { p.short = append(p.short, p.short[4].as(3, "000000000000")) },
			"too often"},
		"the long form": {func(p *play) { p.short = append(p.short, p.got[2]) }, "was not wanted"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlay()
			if len(p.short) != 6 {
				t.Fatalf("%d records, want 6", len(p.short))
			}
			test.spoil(p)
			hooks := newHooks()
			c := newChecker(hooks[len(hooks)-1:])
			if _, err := c.check(p.commits, map[string][]*arrival{"short": p.short}); err != nil {
				t.Fatal(err)
			}
			said := fmt.Sprint(c.violations)
			if (test.want == "") != (len(c.violations) == 0) || !strings.Contains(said, test.want) {
				t.Errorf("violations %s, want %q", said, test.want)
			}
		})
	}
}

// TestCoverage counts a play.
func TestCoverage(t *testing.T) {
	c := newCoverage()
	p := newPlay()
	key, _ := update("users", insert("users", `{"id": "u"}`).new, `{"id": "v"}`)
	p.commit(key, change{table: "comments", op: 'T'})
	for _, tx := range p.commits {
		c.take(tx)
	}
	want := map[string]TableCoverage{"users": {Inserts: 1, KeyChanges: 1}, "todo_lists": {Inserts: 1},
		"todos":      {Inserts: 1, Updates: 3, Deletes: 1},
		"comments":   {Inserts: 1, Deletes: 1, Truncates: 1},
		"todo_users": {Inserts: 3, Deletes: 1}}
	if got := fmt.Sprint(c.Tables); got != fmt.Sprint(want) {
		t.Errorf("got %s, want %v", got, want)
	}
	var b strings.Builder
	tally := &tally{}
	tally.copies.Add(2)
	if c.with(tally).Print(&b); !strings.Contains(b.String(), "2 COPYs of 0 rows") {
		t.Errorf("printed %s", b.String())
	}
}

// TestHistoryOf lets a run tell of a violation: the rows that matter, also those nested in the value, and no others.
func TestHistoryOf(t *testing.T) {
	p := newPlay()
	list, _ := update("todo_lists", p.commits[0].changes[1].new, `{"title": "New"}`)
	comment := insert("comments", `{"id": "other", "text": "", "html": "", "todo_id": "t", "user_id": null}`)
	p.commits = slices.Insert(p.commits, 2,
		&commit{start: 220, end: 225, at: time.Unix(225, 0), changes: []change{list, comment}})
	p.got = nil
	p.send()
	last := slices.IndexFunc(p.got, func(a *arrival) bool { return a.event == "TODO_NAME_CHANGED" })
	p.got[last] = p.got[last].spoilt(`"title":"New"`, `"title":"List"`)
	c := newChecker(newHooks()[:1])
	got := map[string][]*arrival{"healthy": p.got}
	s, err := c.check(p.commits, got)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.violations) != 1 {
		t.Fatalf("violations %v", c.violations)
	}
	told := (&run{}).history(s, got, c.violations[0])
	for _, want := range []string{"INSERT todo_lists", `title: "List" -> "New"`, "UPDATE todos t title",
		"healthy got TODO_CREATED"} {
		if !strings.Contains(told, want) {
			t.Errorf("told%s\nwithout %s", told, want)
		}
	}
	if strings.Contains(told, "INSERT comments") || strings.Contains(told, "DELETE") {
		t.Errorf("told too much:%s", told)
	}
}
