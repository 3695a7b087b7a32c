//go:build unix

package soak

import "fmt"

// rekeyed are the tables whose keys change, those with rows below them more often than the others.
var rekeyed = []string{"todos", "todos", "todos", "checklists", "checklists", "checklist_items", "todo_lists", "tags",
	"custom_fields", "custom_field_options", "todo_custom_fields", "users", "projects", "companies", "comments",
	"todo_users", "project_users", "todo_tags"}

// rekey gives a row another key; what refers to it follows.
func (a author) rekey() string {
	table := a.one(rekeyed...)
	return fmt.Sprintf(`UPDATE %s SET id = '%s' WHERE id = %s AND id NOT IN ('%s', '%s', '%s')`, table, a.id(),
		a.some(table), keptProject, keptCompany, keptMember)
}

// vacate gives a todo another key, and the key to a new todo: by their keys one has changed and one was made.
func (a author) vacate() string {
	id := a.id()
	return fmt.Sprintf(`CREATE TEMP TABLE vacated%[1]s ON COMMIT DROP AS
			SELECT id, todo_list_id FROM todos WHERE id = %[2]s;
		UPDATE todos SET id = '%[1]s' WHERE id IN (SELECT id FROM vacated%[1]s);
		INSERT INTO todos (id, title, todo_list_id) SELECT id, %[3]s, todo_list_id FROM vacated%[1]s;
		INSERT INTO comments (id, text, todo_id) SELECT '%[4]s', %[3]s, id FROM vacated%[1]s`,
		id, a.some("todos"), a.words(), a.id())
}

// swap exchanges two keys of a table.
func (a author) swap() string {
	id, table := a.id(), a.one("todos", "checklists", "tags", "todo_users")
	return fmt.Sprintf(`CREATE TEMP TABLE swapped%[1]s ON COMMIT DROP AS SELECT p1.id AS one, p2.id AS two FROM %[3]s
			WHERE p1.id <> p2.id;
		UPDATE %[2]s SET id = '%[1]s' WHERE id = (SELECT one FROM swapped%[1]s);
		UPDATE %[2]s SET id = (SELECT one FROM swapped%[1]s) WHERE id = (SELECT two FROM swapped%[1]s);
		UPDATE %[2]s SET id = (SELECT two FROM swapped%[1]s) WHERE id = '%[1]s'`, id, table, a.from(table, table))
}
