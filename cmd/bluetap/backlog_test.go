package main

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
)

const (
	backlogTodos = 2000
	backlogBig   = 5 // of them with a text of 1 MB
)

// moment is what a todo's value must say as of one commit: its own title and text, and the names above it.
type moment struct{ Title, Text, List, Project, Company string }

// TestStoppedWhileMuchChanges stops the daemon, makes more than 10,000 changes and starts it again: every value is
// that of its own commit, whatever became later of the rows around it.
func TestStoppedWhileMuchChanges(t *testing.T) {
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+fmt.Sprintf(`
		INSERT INTO projects (id, slug, name, company_id) VALUES ('p', 'p', 'Doomed', 'clakt8jud0002vt64205yyj10');
		INSERT INTO todo_lists (id, title, project_id) VALUES ('l', 'List 0', 'p');
		INSERT INTO todos (id, title, todo_list_id, text) SELECT 't' || i, 't' || i || ' 0', 'l',
			CASE WHEN i < %d THEN (SELECT string_agg(md5(i || ' ' || j), '') FROM generate_series(1, 32768) j) END
			FROM generate_series(0, %d) i;
		INSERT INTO comments (id, text, todo_id) SELECT 'c' || i, 'comment', 't' || i FROM generate_series(0, %d) i`,
		backlogBig, backlogTodos-1, backlogTodos-1))
	to := receive(t)
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}", webhookYAML{id: "late", url: to.URL})
	if code := i.start(t).stop(); code != 0 {
		t.Fatalf("exit code %d after SIGTERM, want 0", code)
	}
	want := changeMuch(t, pg)
	if got := len(to.deliveries()); got != 0 {
		t.Fatalf("%d deliveries for what the first snapshot holds", got)
	}
	i.start(t)
	lastTodos, lastComments := 0, 0
	all := to.waitFor(t, "every deletion", func(d delivery) bool {
		switch d.event {
		case "TODO_DELETED":
			lastTodos++
		case "COMMENT_DELETED":
			lastComments++
		}
		return lastTodos == backlogTodos && lastComments == backlogTodos
	})
	first, _ := firsts(t, all)
	checkMoments(t, first, want)
}

// changeMuch commits the changes and returns, by todo and in order, what each event must say: before and after.
func changeMuch(t *testing.T, pg *pgtest.Server) map[string][][2]moment {
	t.Helper()
	texts := pg.Exec(t, "postgres", `SELECT md5(text) FROM todos WHERE id IN ('t0','t1','t2','t3','t4') ORDER BY id`)
	want := map[string][][2]moment{}
	now := make([]moment, backlogTodos)
	for n := range now {
		now[n] = moment{Title: fmt.Sprintf("t%d 0", n), List: "List 0", Project: "Doomed", Company: "Rogue"}
		if n < backlogBig {
			now[n].Text = strings.Fields(texts)[n]
		}
	}
	var sql strings.Builder
	for round := 1; round <= 3; round++ {
		for n := range now {
			if n%100 == 0 {
				list, company := fmt.Sprintf("List %d-%d", round, n), fmt.Sprintf("Rogue %d-%d", round, n)
				fmt.Fprintf(&sql, "UPDATE todo_lists SET title = '%s' WHERE id = 'l';\n", list)
				fmt.Fprintf(&sql, "UPDATE companies SET name = '%s' WHERE id = 'clakt8jud0002vt64205yyj10';\n", company)
				for m := range now {
					now[m].List, now[m].Company = list, company
				}
			}
			before := now[n]
			now[n].Title = fmt.Sprintf("t%d %d", n, round)
			fmt.Fprintf(&sql, "UPDATE todos SET title = '%s' WHERE id = 't%d';\n", now[n].Title, n)
			want[fmt.Sprintf("t%d", n)] = append(want[fmt.Sprintf("t%d", n)], [2]moment{before, now[n]})
		}
	}
	sql.WriteString("DELETE FROM projects WHERE id = 'p';\n")
	for n := range now {
		want[fmt.Sprintf("t%d", n)] = append(want[fmt.Sprintf("t%d", n)], [2]moment{now[n], {}})
	}
	pg.Exec(t, "postgres", sql.String())
	return want
}

// fullTodo is a todo's value with the names above it.
type fullTodo struct {
	ID, Title string
	Text      *string
	TodoList  struct {
		Title   string
		Project struct {
			Name    string
			Company struct{ Name string }
		}
	}
}

func (v *fullTodo) moment() moment {
	if v == nil {
		return moment{}
	}
	m := moment{Title: v.Title, List: v.TodoList.Title, Project: v.TodoList.Project.Name,
		Company: v.TodoList.Project.Company.Name}
	if v.Text != nil {
		sum := md5.Sum([]byte(*v.Text))
		m.Text = hex.EncodeToString(sum[:])
	}
	return m
}

func checkMoments(t *testing.T, first []delivery, want map[string][][2]moment) {
	t.Helper()
	got := map[string][][2]moment{}
	for _, d := range first {
		if !strings.HasPrefix(d.event, "TODO_") || strings.HasPrefix(d.event, "TODO_LIST") {
			continue
		}
		var body struct{ PreviousValue, CurrentValue *fullTodo }
		if err := json.Unmarshal([]byte(d.body), &body); err != nil {
			t.Fatal(err)
		}
		id := body.PreviousValue.ID
		got[id] = append(got[id], [2]moment{body.PreviousValue.moment(), body.CurrentValue.moment()})
	}
	for id, moments := range want {
		if fmt.Sprint(got[id]) != fmt.Sprint(moments) {
			t.Errorf("todo %s:\n got %v\nwant %v", id, got[id], moments)
		}
	}
}
