package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"bluetap/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

// expected is one event that a committed change must give: its type and the titles on both sides. For the comments of a
// todo the titles are those of the comment's text.
type expected struct{ event, previous, current string }

// ledger is what the writers have committed, by record, in the order of the commits: every record has one writer.
type ledger struct {
	told func() int // how many events have been delivered; nil: the writers do not care

	mu     sync.Mutex
	events map[string][]expected // by todo
}

// maxBehind is how many events the writers are ahead of the deliveries at most: a daemon under the race detector is
// several times slower than Postgres.
const maxBehind = 2000

// pace waits until the deliveries are near enough, or ctx ends.
func (l *ledger) pace(ctx context.Context) {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for l.told != nil && l.total()-l.told() > maxBehind {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (l *ledger) add(todo string, events ...expected) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events[todo] = append(l.events[todo], events...)
}

func (l *ledger) total() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, events := range l.events {
		n += len(events)
	}
	return n
}

// merge returns one ledger of several whose todos are distinct.
func merge(ledgers []*ledger) *ledger {
	all := &ledger{events: map[string][]expected{}}
	for _, l := range ledgers {
		maps.Copy(all.events, l.events)
	}
	return all
}

// write makes clients change todos of their own until ctx ends.
func write(ctx context.Context, t *testing.T, pg *pgtest.Server, to *receiver, writers int, seed uint64,
) (*ledger, *sync.WaitGroup) {
	t.Helper()
	return writeNamed(ctx, t, pg, to, writers, seed, "")
}

// writeNamed is write with todos whose ids end with the name.
func writeNamed(ctx context.Context, t *testing.T, pg *pgtest.Server, to *receiver, writers int, seed uint64,
	name string,
) (*ledger, *sync.WaitGroup) {
	t.Helper()
	l := &ledger{events: map[string][]expected{}}
	if to != nil {
		before := to.told()
		l.told = func() int { return to.told() - before }
	}
	var wg sync.WaitGroup
	for n := range writers {
		conn := pg.Conn(t, "postgres")
		random := rand.New(rand.NewPCG(seed, uint64(n)))
		wg.Go(func() {
			for todo := 0; ctx.Err() == nil; todo++ {
				l.pace(ctx)
				if err := live(ctx, conn, l, fmt.Sprintf("w%d-%d%s", n, todo, name), random); err != nil {
					t.Errorf("writer %d: %v", n, err)
					return
				}
			}
		})
	}
	return l, &wg
}

// live leads one todo through its life, a transaction a step. The ledger is written after each commit; a commit is
// never cut off, or it would not be known whether it happened.
func live(ctx context.Context, conn *pgx.Conn, l *ledger, todo string, random *rand.Rand) error {
	title := todo + " 0"
	comments := 0
	commit := func(sql string, events ...expected) error {
		if _, err := conn.Exec(context.WithoutCancel(ctx), sql); err != nil {
			return err
		}
		l.add(todo, events...)
		return nil
	}
	if err := commit(fmt.Sprintf(`INSERT INTO todos (id, title, todo_list_id, text)
		VALUES ('%s', '%s', 'clakt9v5t000kvt64f563l90l', repeat('x', %d))`, todo, title, random.IntN(3000)),
		expected{"TODO_CREATED", "", title}); err != nil {
		return err
	}
	for step := 1; step < 4+random.IntN(8) && ctx.Err() == nil; step++ {
		var err error
		switch random.IntN(4) {
		case 0:
			next := fmt.Sprintf("%s %d", todo, step)
			err = commit(fmt.Sprintf(`UPDATE todos SET title = '%s', done = NOT done WHERE id = '%s'`, next, todo),
				expected{"TODO_NAME_CHANGED", title, next}, expected{"TODO_DONE_STATUS_UPDATED", title, next})
			title = next
		case 1:
			comments++
			text := fmt.Sprintf("%s comment %d", todo, comments)
			err = commit(fmt.Sprintf(`INSERT INTO comments (id, text, todo_id) VALUES ('%s-%d', '%s', '%s')`,
				todo, comments, text, todo), expected{"COMMENT_CREATED", "", text})
		case 2:
			err = commit(fmt.Sprintf(`BEGIN; UPDATE todos SET title = 'rolled back' WHERE id = '%s'; ROLLBACK`, todo))
		case 3:
			err = commit(fmt.Sprintf(`BEGIN; SAVEPOINT s; UPDATE todos SET title = 'never' WHERE id = '%s';
				ROLLBACK TO s; UPDATE todos SET updated_at = now() WHERE id = '%s'; COMMIT`, todo, todo))
		}
		if err != nil {
			return err
		}
	}
	if comments > 0 || random.IntN(2) == 0 {
		return nil
	}
	return commit(fmt.Sprintf(`DELETE FROM todos WHERE id = '%s'`, todo), expected{"TODO_DELETED", title, ""})
}

// value is what of a body the ledger knows.
type value struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Text  string `json:"text"`
	Todo  *value `json:"todo"`
}

func (v *value) named() string {
	switch {
	case v == nil:
		return ""
	case v.Todo != nil:
		return v.Text
	}
	return v.Title
}

// entry reads a delivery as the ledger's: whose record it is about and what it says.
func entry(d delivery) (todo string, e expected, err error) {
	var body struct{ PreviousValue, CurrentValue *value }
	if err := json.Unmarshal([]byte(d.body), &body); err != nil {
		return "", expected{}, err
	}
	subject := body.CurrentValue
	if subject == nil {
		subject = body.PreviousValue
	}
	if subject.Todo != nil {
		subject = subject.Todo
	}
	return subject.ID, expected{d.event, body.PreviousValue.named(), body.CurrentValue.named()}, nil
}

// firsts returns the first delivery of every event in order of arrival, having checked that a second one of an id has
// the same bytes and that no event came under two ids.
func firsts(t *testing.T, all []delivery) (first []delivery, duplicates int) {
	t.Helper()
	bodies := map[string]string{}
	for _, d := range all {
		body, seen := bodies[d.id]
		switch {
		case !seen:
			bodies[d.id] = d.body
			first = append(first, d)
		case body != d.body:
			t.Errorf("%s came with two bodies:\n%s\n%s", d.id, body, d.body)
		default:
			duplicates++
		}
	}
	return first, duplicates
}

// check compares what was delivered with the ledger: nothing missing, nothing invented, in the order of commits within
// each record.
func (l *ledger) check(t *testing.T, all []delivery) {
	t.Helper()
	first, duplicates := firsts(t, all)
	got := map[string][]expected{}
	for _, d := range first {
		todo, e, err := entry(d)
		if err != nil {
			t.Fatalf("body of %s: %v", d.id, err)
		}
		got[todo] = append(got[todo], e)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for todo, want := range l.events {
		if fmt.Sprint(got[todo]) != fmt.Sprint(want) {
			t.Errorf("todo %s:\n got %v\nwant %v", todo, got[todo], want)
		}
		delete(got, todo)
	}
	for todo, events := range got {
		t.Errorf("todo %s is not in the ledger, but got %v", todo, events)
	}
	t.Logf("%d events of %d todos, %d duplicates", len(first), len(l.events), duplicates)
}
