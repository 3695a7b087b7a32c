// Package blueschema is Blue's model as PostgreSQL tables, for tests, the benchmark and the demo: one of the layouts
// that bluetap recognises, snake_case plurals.
package blueschema

import _ "embed" // the SQL files

var (
	//go:embed schema.sql
	schema string
	//go:embed seed.sql
	seed string
	//go:embed insert_todo.sql
	insertTodo string
)

// SQL returns the statements that create Blue's types, tables and indexes in an empty schema. Ids have no default;
// uids, timestamps, positions and flags have.
func SQL() string { return schema }

// SeedTodoCreated returns the statements that insert what surrounds the todo of Blue's published TODO_CREATED
// delivery (mapping/testdata/todo_created.json): company, project, list and the user who created them.
func SeedTodoCreated() string { return seed }

// InsertTodoCreated returns the one statement that, run after SeedTodoCreated, is that delivery.
func InsertTodoCreated() string { return insertTodo }
