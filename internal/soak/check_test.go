//go:build unix

package soak

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// play is a history with what a faultless daemon sends of it, for tests to spoil.
type play struct {
	commits []*commit
	got     []*arrival
}

func (p *play) commit(changes ...change) {
	end := uint64(len(p.commits)+1) * 100
	p.commits = append(p.commits, &commit{start: end - 1, end: end, changes: changes})
}

func insert(table, document string) change {
	return change{table: table, op: 'I', new: parse(document)}
}

// update takes the row with what differs in it.
func update(table string, old row, differs string) (change, row) {
	is := row{}
	for column, value := range old {
		is[column] = value
	}
	for column, value := range parse(differs) {
		is[column] = value
	}
	return change{table: table, op: 'U', old: old, new: is}, is
}

func parse(document string) row {
	var r row
	if err := decode([]byte(document), &r); err != nil {
		panic(err)
	}
	return r
}

// newPlay is a todo's life: it is created, renamed twice, commented, gets an assignee, and is deleted with the comment.
func newPlay() *play {
	p := &play{}
	p.commit(insert("users", `{"id": "u", "first_name": "Ada"}`),
		insert("todo_lists", `{"id": "l", "title": "List", "project_id": null}`))
	created := insert("todos", `{"id": "t", "title": "a", "done": false, "todo_list_id": "l"}`)
	p.commit(created)
	renamed, b := update("todos", created.new, `{"title": "b"}`)
	p.commit(renamed)
	again, c := update("todos", b, `{"title": "c"}`)
	p.commit(again)
	comment := insert("comments", `{"id": "c", "text": "hello", "html": "", "todo_id": "t", "user_id": "u"}`)
	p.commit(comment)
	assigned := insert("todo_users", `{"id": "tu", "todo_id": "t", "user_id": "u"}`)
	p.commit(assigned)
	p.commit(change{table: "todo_users", op: 'D', old: assigned.new}, change{table: "comments", op: 'D', old: comment.new},
		change{table: "todos", op: 'D', old: c})
	p.send()
	return p
}

// send makes the arrivals that are due.
func (p *play) send() {
	w := newWorld()
	for _, c := range p.commits {
		step, err := w.apply(c)
		if err != nil {
			panic(err)
		}
		all := step.due()
		slices.SortFunc(all, func(a, b *due) int { return strings.Compare(a.name, b.name) })
		for _, d := range all {
			p.got = append(p.got, send(c.end, d.name, d.id, d.values))
		}
	}
	p.got = slices.DeleteFunc(p.got, func(a *arrival) bool { return slices.Contains(extensions, a.event) })
}

func send(lsn uint64, name, id string, values map[string]any) *arrival {
	body, err := json.Marshal(values)
	if err != nil {
		panic(err)
	}
	return &arrival{id: fmt.Sprintf("evt_0_%016X_%s%s", lsn, name, id), event: name, lsn: lsn, body: sha256.Sum256(body),
		values: &body}
}

// spoilt returns an arrival whose values are others.
func (a *arrival) spoilt(old, new string) *arrival {
	body := []byte(strings.Replace(string(*a.values), old, new, 1))
	b := *a
	b.body, b.values = sha256.Sum256(body), &body
	return &b
}

func (a *arrival) renamed(id string) *arrival {
	b := *a
	b.id = id
	return &b
}

// TestChecker lets the checker see one history with each kind of broken promise in it.
func TestChecker(t *testing.T) {
	names := []string{"TODO_LIST_CREATED", "TODO_CREATED", "TODO_NAME_CHANGED", "TODO_NAME_CHANGED", "COMMENT_CREATED",
		"TODO_ASSIGNEE_ADDED", "COMMENT_DELETED", "TODO_DELETED"}
	for name, test := range map[string]struct {
		spoil func(p *play)
		want  string // a part of the violation; "" for none
	}{
		"faultless":     {func(*play) {}, ""},
		"sent again":    {func(p *play) { p.got = append(p.got, p.got[2]) }, ""},
		"other records": {func(p *play) { p.got[0], p.got[1] = p.got[1], p.got[0] }, ""},
		"dropped": {func(p *play) { p.got = slices.Delete(p.got, 3, 4) },
			"TODO_NAME_CHANGED of todo t in commit 190 is missing"},
		"out of order": {func(p *play) { p.got[2], p.got[3] = p.got[3], p.got[2] }, "came after TODO_NAME_CHANGED"},
		"comment before its todo": {func(p *play) { p.got[1], p.got[4] = p.got[4], p.got[1] },
			"came after COMMENT_CREATED"},
		"rolled back": {func(p *play) { p.commits = slices.Delete(p.commits, 4, 7); p.got = p.got[:5] },
			"no change fires it"},
		"another id":   {func(p *play) { p.got = append(p.got, p.got[2].renamed("evt_0_x_y")) }, "too often"},
		"another body": {func(p *play) { p.got = append(p.got, p.got[2].spoilt(`"b"`, `"c"`)) }, "two bodies"},
		"old as new":   {func(p *play) { p.got[2] = p.got[2].spoilt(`"title":"b"`, `"title":"a"`) }, "in truth b"},
		"new as old":   {func(p *play) { p.got[3] = p.got[3].spoilt(`"title":"b"`, `"title":"c"`) }, "in truth b"},
		"nested too new": {func(p *play) { p.got[4] = p.got[4].spoilt(`"title":"c"`, `"title":"d"`) },
			".currentValue.todo.title is d"},
		"a field too many": {func(p *play) { p.got[2] = p.got[2].spoilt(`"done"`, `"secret":1,"done"`) },
			"secret: in the body true"},
		"wrong event": {func(p *play) { p.got[2].event = "TODO_MOVED" }, "no change fires it"},
		"chain": {func(p *play) {
			p.got[3] = p.got[3].spoilt(`"title":"b"`, `"title":"x"`)
		}, "the chain of todo/t is broken"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlay()
			for i, a := range p.got {
				if a.event != names[i] {
					t.Fatalf("arrival %d is %s, want %s", i, a.event, names[i])
				}
			}
			test.spoil(p)
			c := newChecker(newHooks()[:1])
			if _, err := c.check(p.commits, map[string][]*arrival{"healthy": p.got}); err != nil {
				t.Fatal(err)
			}
			said := fmt.Sprint(c.violations)
			if (test.want == "") != (len(c.violations) == 0) || !strings.Contains(said, test.want) {
				t.Errorf("violations %s, want %q", said, test.want)
			}
		})
	}
}
