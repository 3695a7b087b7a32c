//go:build unix

package soak

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// play is a history with what a faultless daemon sends of it, for tests to spoil.
type play struct {
	commits []*commit
	got     []*arrival
	short   []*arrival // in the short form
	lives   lives
}

func (p *play) commit(changes ...change) {
	end := uint64(len(p.commits)+1) * 100
	p.commits = append(p.commits, &commit{start: end - 1, end: end, at: time.Unix(int64(end), 0), changes: changes})
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

// newPlay is a todo's life: it is created, renamed twice, commented, gets an assignee; is renamed and done while it
// gets two more; and is deleted with the comment.
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
	more := insert("todo_users", `{"id": "tv", "todo_id": "t", "user_id": "v"}`)
	finished, d := update("todos", c, `{"title": "d", "done": true}`)
	p.commit(finished, more, insert("todo_users", `{"id": "tw", "todo_id": "t", "user_id": "w"}`))
	p.commit(change{table: "todos", op: 'D', old: d}, change{table: "todo_users", op: 'D', old: assigned.new},
		change{table: "comments", op: 'D', old: comment.new})
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
		slices.SortFunc(all, func(a, b *due) int { return cmp.Compare(a.order(), b.order()) })
		for _, d := range all {
			for _, pair := range d.pairs {
				p.got = append(p.got, send(c.end, d.name, d.id, pair, d.values))
			}
		}
	}
	isShort := func(a *arrival) bool { return slices.Contains(shortEvents, a.event) }
	p.short = slices.DeleteFunc(slices.Clone(p.got), func(a *arrival) bool { return !isShort(a) })
	p.got = slices.DeleteFunc(p.got, func(a *arrival) bool { return isShort(a) || slices.Contains(extensions, a.event) })
}

// order is where the event stands among those of its transaction.
func (d *due) order() int { return 1000*d.places[0] + catalogue[d.name] }

func send(lsn uint64, name, id, pair string, values map[string]any) *arrival {
	body, err := json.Marshal(values)
	if err != nil {
		panic(err)
	}
	part := sha256.Sum256([]byte(name + id + pair))
	return &arrival{id: fmt.Sprintf("evt_00000000_%016x_%x", lsn, part[:6]), event: name, lsn: lsn, attempt: "1",
		answer: answerNames[answers], at: time.Unix(int64(lsn), 0), committed: time.Unix(int64(lsn), 0),
		body: sha256.Sum256(body), values: &body}
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

// as returns an arrival with another part of its id: 1 is the epoch, 3 is what the event alone decides.
func (a *arrival) as(place int, of string) *arrival {
	parts := strings.Split(a.id, "_")
	parts[place] = of
	return a.renamed(strings.Join(parts, "_"))
}

func (a *arrival) part() string { return strings.Split(a.id, "_")[3] }

func (a *arrival) attempted(attempt string) *arrival {
	b := *a
	b.attempt, b.at = attempt, a.at.Add(10*time.Second)
	return &b
}

// playNames are the events of newPlay, in order.
var playNames = []string{"TODO_LIST_CREATED", "TODO_CREATED", "TODO_NAME_CHANGED", "TODO_NAME_CHANGED",
	"COMMENT_CREATED", "TODO_ASSIGNEE_ADDED", "TODO_NAME_CHANGED", "TODO_DONE_STATUS_UPDATED",
	"TODO_ASSIGNEE_ADDED", "TODO_ASSIGNEE_ADDED",
	"TODO_DELETED", "COMMENT_DELETED"}

// spoils are what a play may be made of, and a part of the violation that it must be; "" for none.
var spoils = map[string]struct {
	spoil func(p *play)
	want  string
}{
	"faultless":     {func(*play) {}, ""},
	"other records": {func(p *play) { p.got[0], p.got[1] = p.got[1], p.got[0] }, ""},
	"dropped": {func(p *play) { p.got = slices.Delete(p.got, 3, 4) },
		"TODO_NAME_CHANGED of todo t in commit 190 is missing"},
	"one of two pairs dropped": {func(p *play) { p.got = slices.Delete(p.got, 9, 10) }, "is missing (1 of 2)"},
	"out of order": {func(p *play) { p.got[2], p.got[3] = p.got[3], p.got[2] },
		"came after TODO_NAME_CHANGED"},
	"comment before its todo": {func(p *play) { p.got[1], p.got[4] = p.got[4], p.got[1] },
		"came after COMMENT_CREATED"},
	"catalogue reversed": {func(p *play) { p.got[6], p.got[7] = p.got[7], p.got[6] }, "not the order of its changes"},
	"log reversed":       {func(p *play) { p.got[7], p.got[8] = p.got[8], p.got[7] }, "not the order of its changes"},
	"cascade reversed":   {func(p *play) { p.got[10], p.got[11] = p.got[11], p.got[10] }, "not the order of its changes"},
	"truncated, in any order": {func(p *play) {
		p.commits[7].changes = append(p.commits[7].changes, change{table: "todo_tags", op: 'T'})
		p.got[10], p.got[11] = p.got[11], p.got[10]
	}, ""},
	"rolled back": {func(p *play) { p.commits = slices.Delete(p.commits, 4, 8); p.got = p.got[:5] },
		"no change fires it"},
	"another id":     {func(p *play) { p.got = append(p.got, p.got[2].as(3, "000000000000")) }, "too often"},
	"id of its own":  {func(p *play) { p.got[3] = p.got[3].as(3, "000000000000") }, "ends otherwise than before"},
	"id of another":  {func(p *play) { p.got[3] = p.got[3].as(3, p.got[1].part()) }, "ends as that of another event"},
	"id of a pair":   {func(p *play) { p.got[8] = p.got[8].as(3, p.got[5].part()) }, "ends as that of another event"},
	"another epoch":  {func(p *play) { p.got[3] = p.got[3].as(1, "11111111") }, "another epoch"},
	"another moment": {func(p *play) { p.got[3].committed = p.got[2].committed }, "says that it was committed at"},
	"another body":   {func(p *play) { p.got = append(p.got, p.got[2].spoilt(`"b"`, `"c"`)) }, "two bodies"},
	"old as new":     {func(p *play) { p.got[2] = p.got[2].spoilt(`"title":"b"`, `"title":"a"`) }, "in truth b"},
	"new as old":     {func(p *play) { p.got[3] = p.got[3].spoilt(`"title":"b"`, `"title":"c"`) }, "in truth b"},
	"nested too new": {func(p *play) { p.got[4] = p.got[4].spoilt(`"title":"c"`, `"title":"d"`) },
		".currentValue.todo.title is d"},
	"a field too many": {func(p *play) { p.got[2] = p.got[2].spoilt(`"done"`, `"secret":1,"done"`) },
		"secret: in the body true"},
	"wrong event": {func(p *play) { p.got[2].event = "TODO_MOVED" }, "no change fires it"},
	"chain": {func(p *play) {
		p.got[3] = p.got[3].spoilt(`"title":"b"`, `"title":"x"`)
	}, "the chain of todo/t is broken"},

	"sent again": {func(p *play) { p.got = append(p.got, p.got[2].attempted("1")) }, "had been answered with 200"},
	"sent again after a failure": {func(p *play) {
		p.got[2].answer = answerNames[failsServer]
		p.got = append(p.got, p.got[2].attempted("2"))
	}, ""},
	"sent again after a kill": {func(p *play) {
		p.lives.at = append(p.lives.at, p.got[2].at.Add(time.Second))
		p.got = append(p.got, p.got[2].attempted("1"))
	}, ""},
	"sent again long after a kill": {func(p *play) {
		p.lives.at = append(p.lives.at, p.got[1].at.Add(time.Second))
		p.got = append(p.got, p.got[2].attempted("1"))
	}, "had been answered with 200"},
	"an answer that came late": {func(p *play) { p.got = append(p.got, p.got[2].attempted("2")) }, ""},
	"all twice": {func(p *play) {
		for _, a := range slices.Clone(p.got) {
			p.got = append(p.got, a.attempted("2"))
		}
	}, "nothing explains them"},
}

// TestChecker lets the checker see one history with each kind of broken promise in it.
func TestChecker(t *testing.T) {
	for name, test := range spoils {
		t.Run(name, func(t *testing.T) {
			p := newPlay()
			for i, a := range p.got {
				if a.event != playNames[i] {
					t.Fatalf("arrival %d is %s, want %s", i, a.event, playNames[i])
				}
			}
			test.spoil(p)
			c := newChecker(newHooks()[:1])
			c.lives = &p.lives
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
