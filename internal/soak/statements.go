//go:build unix

package soak

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// author writes random statements over Blue's tables.
type author struct {
	*rand.Rand
}

// statements by how often they are chosen. Each may hit no row, and may fail on what another client does.
var statements = []struct {
	weight int
	write  func(a author) string
}{
	{14, author.newTodo}, {4, author.newTodos}, {8, author.renameTodo}, {6, author.finishTodo}, {6, author.dateTodo},
	{5, author.moveTodo}, {4, author.describeTodo}, {3, author.touchTodo}, {3, author.deleteTodo},
	{2, author.replaceTodo}, {5, author.rekey}, {1, author.vacate}, {1, author.swap}, {1, author.bulkTodos},
	{8, author.newComment}, {5, author.editComment}, {3, author.hideComment}, {2, author.moveComment},
	{2, author.deleteComment},
	{5, author.newChecklist}, {3, author.editChecklist}, {1, author.deleteChecklist},
	{6, author.newItem}, {8, author.editItem}, {2, author.deleteItem}, {3, author.assignItem},
	{6, author.assign}, {4, author.reassign}, {3, author.unassign}, {5, author.tagTodo}, {3, author.untagTodo},
	{3, author.newTag}, {3, author.editTag}, {1, author.deleteTag},
	{2, author.newField}, {3, author.editField}, {3, author.editOptions}, {6, author.fillField}, {4, author.choose},
	{2, author.newList}, {3, author.editList}, {1, author.deleteList},
	{2, author.editPeople}, {3, author.editMembers}, {2, author.editAbove}, {2, author.passing},
}

var weights = func() (sum int) {
	for _, s := range statements {
		sum += s.weight
	}
	return sum
}()

func (a author) statement() string {
	n := a.IntN(weights)
	for _, s := range statements {
		if n -= s.weight; n < 0 {
			return s.write(a)
		}
	}
	return ""
}

func (a author) one(of ...string) string { return of[a.IntN(len(of))] }

// id returns a new key. It begins at random, so that some picks evenly.
func (a author) id() string { return fmt.Sprintf("%08x%04x", a.Uint32(), a.IntN(1<<16)) }

// some picks a row. Half of the picks are among few rows, so that clients meet, and records have a history.
func (a author) some(table string) string {
	from := a.Uint32()
	if a.IntN(2) == 0 {
		from = uint32(a.IntN(8)) << 29
	}
	return fmt.Sprintf("(SELECT id FROM %s WHERE id >= '%08x' ORDER BY id LIMIT 1)", table, from)
}

// from makes rows of what is picked: INSERT INTO … SELECT columns FROM picks gives none where a pick finds none.
func (a author) from(tables ...string) string {
	picks := make([]string, len(tables))
	for i, table := range tables {
		picks[i] = a.some(table) + fmt.Sprintf(" AS p%d", i+1)
	}
	return strings.Join(picks, ", ")
}

var words = []string{"release", "ship", "Ölwechsel", "漢字", "😀", `"quoted"`, `back\slash`, "<b>", "it''s", "urgent",
	"a\tb", "line\nbreak", "&amp;", "\u2028", ""}

// words returns a quoted text, unlike any before it.
func (a author) words() string {
	return fmt.Sprintf("'%s %s %x'", words[a.IntN(len(words))], words[a.IntN(len(words))], a.Uint32())
}

// long returns a quoted text; one in three is so long that Postgres keeps it outside of the row, where an UPDATE of
// another column does not log it.
func (a author) long() string {
	switch a.IntN(3) {
	case 0:
		return "NULL"
	case 1:
		return a.words()
	}
	var b strings.Builder
	for range 400 {
		fmt.Fprintf(&b, "%016x", a.Uint64())
	}
	return "'" + b.String() + "'"
}

// date returns a day, or none.
func (a author) date() string {
	if a.IntN(3) == 0 {
		return "NULL"
	}
	return fmt.Sprintf("timestamptz '2026-01-01 00:00Z' + interval '%d days %d ms'", a.IntN(300), a.IntN(4)*25)
}

func (a author) newTodo() string {
	return fmt.Sprintf(`INSERT INTO todos (id, title, html, text, position, dued_at, created_by_id, todo_list_id)
		SELECT '%s', %s, %s, %s, %d.%d, %s, p1.id, p2.id FROM %s`, a.id(), a.words(), a.long(), a.long(), a.IntN(70000),
		a.IntN(100), a.date(), a.from("users", "todo_lists"))
}

// newTodos inserts several, with what hangs on them, in one go.
func (a author) newTodos() string {
	id := a.id()
	return fmt.Sprintf(`INSERT INTO todos (id, title, todo_list_id)
			SELECT '%[1]s' || i, %[2]s || i, p1.id FROM generate_series(1, %[3]d) i, %[4]s;
		INSERT INTO comments (id, text, todo_id) SELECT id || 'c', title, id FROM todos WHERE id LIKE '%[1]s%%';
		INSERT INTO checklists (id, title, todo_id) SELECT id || 'l', title, id FROM todos WHERE id LIKE '%[1]s%%';
		INSERT INTO todo_users (id, todo_id, user_id) SELECT t.id || 'u', t.id, p1.id FROM todos t, %[5]s
			WHERE t.id LIKE '%[1]s%%'`,
		id, a.words(), 2+a.IntN(4), a.from("todo_lists"), a.from("users"))
}

func (a author) renameTodo() string {
	return fmt.Sprintf(`UPDATE todos SET title = %s WHERE id = %s`, a.words(), a.some("todos"))
}

func (a author) finishTodo() string {
	return fmt.Sprintf(`UPDATE todos SET done = NOT done, updated_at = now() WHERE id = %s`, a.some("todos"))
}

func (a author) dateTodo() string {
	return fmt.Sprintf(`UPDATE todos SET started_at = %s, dued_at = %s WHERE id = %s`, a.date(), a.date(), a.some("todos"))
}

func (a author) moveTodo() string {
	return fmt.Sprintf(`UPDATE todos SET todo_list_id = p1.id, position = position / 2 FROM %s WHERE todos.id = %s`,
		a.from("todo_lists"), a.some("todos"))
}

func (a author) describeTodo() string {
	return fmt.Sprintf(`UPDATE todos SET html = %s, text = %s WHERE id = %s`, a.long(), a.long(), a.some("todos"))
}

// touchTodo changes what fires none of Blue's events.
func (a author) touchTodo() string {
	return fmt.Sprintf(`UPDATE todos SET archived = NOT archived, position = %d, updated_at = now() WHERE id = %s`,
		a.IntN(9), a.some("todos"))
}

func (a author) deleteTodo() string { return "DELETE FROM todos WHERE id = " + a.some("todos") }

// replaceTodo deletes a todo and inserts it again: as a net change it is one that was changed.
func (a author) replaceTodo() string {
	id := a.id()
	return fmt.Sprintf(`CREATE TEMP TABLE kept%[1]s ON COMMIT DROP AS SELECT * FROM todos WHERE id = %[2]s;
		DELETE FROM todos WHERE id IN (SELECT id FROM kept%[1]s);
		UPDATE kept%[1]s SET title = %[3]s, uid = '%[1]s';
		INSERT INTO todos SELECT * FROM kept%[1]s`, id, a.some("todos"), a.words())
}

func (a author) bulkTodos() string {
	return fmt.Sprintf(`UPDATE todos SET done = NOT done, title = title || '.' WHERE todo_list_id = %s`,
		a.some("todo_lists"))
}

// passing makes something and takes it away again: nothing has happened.
func (a author) passing() string {
	id := a.id()
	return fmt.Sprintf(`INSERT INTO todos (id, title, todo_list_id) SELECT '%[1]s', 'passing', p1.id FROM %[2]s;
		UPDATE todos SET title = 'still passing' WHERE id = '%[1]s';
		DELETE FROM todos WHERE id = '%[1]s';
		UPDATE todos SET title = title WHERE id = %[3]s`, id, a.from("todo_lists"), a.some("todos"))
}
