package main

import (
	"regexp"
	"strings"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/racetest"
)

// layout is a way to name Blue's tables and columns. The tests' SQL is written for Blue's schema, snake_case plurals,
// and each word of it that the layout calls otherwise is renamed before it is run.
type layout struct {
	title string
	names map[string]string // as written → as the layout has it; nil: snake_case
}

var snakeCase = layout{title: "snake_case"}

// prismaLayouts are today's Prisma layout, "Todo"."todoListId", and the older one, whose foreign keys are named after
// the relation: "Todo"."todoList".
func prismaLayouts() []layout {
	return []layout{
		{"Prisma", prismaNames(camel)},
		{"older Prisma", prismaNames(func(column string) string { return camel(strings.TrimSuffix(column, "_id")) })},
	}
}

var (
	schemaTable  = regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`)
	schemaColumn = regexp.MustCompile(`(?m)^    ([a-z_]+) `)
)

// prismaNames renames every table and column of Blue's schema, and the indexes of its primary keys and unique uids.
func prismaNames(column func(snake string) string) map[string]string {
	names := map[string]string{}
	for _, m := range schemaTable.FindAllStringSubmatch(blueschema.SQL(), -1) {
		table := camel("_" + singular(m[1]))
		names[m[1]] = quoted(table)
		for _, suffix := range []string{"_pkey", "_uid_key"} {
			names[m[1]+suffix] = quoted(table + suffix)
		}
	}
	for _, m := range schemaColumn.FindAllStringSubmatch(blueschema.SQL(), -1) {
		if name := column(m[1]); name != m[1] {
			names[m[1]] = quoted(name)
		}
	}
	return names
}

func singular(table string) string {
	if stem, ok := strings.CutSuffix(table, "ies"); ok {
		return stem + "y"
	}
	return strings.TrimSuffix(table, "s")
}

var underscored = regexp.MustCompile(`_[a-z]`)

func camel(snake string) string {
	return underscored.ReplaceAllStringFunc(snake, func(s string) string { return strings.ToUpper(s[1:]) })
}

// sqlToken is what may hold a word that is none, or a word. A $$ body is SQL too, and renamed as all else.
var sqlToken = regexp.MustCompile(`(?s)--[^\n]*|/\*.*?\*/|\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"[^"]*"|\w+`)

func (l layout) rename(sql string) string {
	return sqlToken.ReplaceAllStringFunc(sql, func(token string) string {
		if name, ok := l.names[token]; ok {
			return name
		}
		return token
	})
}

func TestLayoutRename(t *testing.T) {
	const sql = `-- todos' words
INSERT INTO todos (id, todo_list_id, created_at) VALUES ('todos', E'it\'s todos', '''todo_list_id'); /* todos' */
CREATE FUNCTION f() AS $$ BEGIN NEW.created_by_id := 'todos'::text; END $$;
SELECT t.dued_at::text, "todos" FROM companies t, todo_custom_field_options, my_todos
WHERE user_id = E'\\' AND tag_id = '';`
	want := []string{`-- todos' words
INSERT INTO "Todo" (id, "todoListId", "createdAt") VALUES ('todos', E'it\'s todos', '''todo_list_id'); /* todos' */
CREATE FUNCTION f() AS $$ BEGIN NEW."createdById" := 'todos'::text; END $$;
SELECT t."duedAt"::text, "todos" FROM "Company" t, "TodoCustomFieldOption", my_todos
WHERE "userId" = E'\\' AND "tagId" = '';`,
		`-- todos' words
INSERT INTO "Todo" (id, "todoList", "createdAt") VALUES ('todos', E'it\'s todos', '''todo_list_id'); /* todos' */
CREATE FUNCTION f() AS $$ BEGIN NEW."createdBy" := 'todos'::text; END $$;
SELECT t."duedAt"::text, "todos" FROM "Company" t, "TodoCustomFieldOption", my_todos
WHERE "user" = E'\\' AND "tag" = '';`}
	for i, l := range prismaLayouts() {
		if got := l.rename(sql); got != want[i] {
			t.Errorf("%s:\n got %s\nwant %s", l.title, got, want[i])
		}
	}
}

// TestLayouts plays every case on Blue's schema as Prisma lays it out, in both ways: the bodies are those of the
// snake_case tables.
func TestLayouts(t *testing.T) {
	racetest.SkipOneByOne(t)
	t.Parallel()
	for _, l := range prismaLayouts() {
		t.Run(l.title, func(t *testing.T) {
			s := newStageOf(t, setting{layout: l})
			s.playAll(t, eventCases)
			s.stop(t)
			wantIDs(t, s.to)
			wantRecords(t, s)
		})
		t.Run(l.title+" with other keys", func(t *testing.T) { playIdentities(t, l) })
	}
}

// TestPartitionedTables plays every case with todos and comments in partitions: what is published is the table.
func TestPartitionedTables(t *testing.T) {
	racetest.SkipOneByOne(t)
	t.Parallel()
	s := newStageOf(t, setting{alter: `
		CREATE FUNCTION partition(name text) RETURNS void LANGUAGE plpgsql AS $$
		BEGIN
			EXECUTE format('ALTER TABLE %I RENAME TO whole', name);
			EXECUTE format('CREATE TABLE %I (LIKE whole INCLUDING DEFAULTS, PRIMARY KEY (id)) PARTITION BY HASH (id)', name);
			FOR i IN 0..2 LOOP
				EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS 3, REMAINDER %s)',
					name || '_' || i, name, i);
			END LOOP;
			DROP TABLE whole CASCADE;
		END $$;
		SELECT partition('todos'), partition('comments');
		ALTER TABLE todos ADD FOREIGN KEY (created_by_id) REFERENCES users ON DELETE SET NULL,
			ADD FOREIGN KEY (todo_list_id) REFERENCES todo_lists ON DELETE CASCADE;
		ALTER TABLE comments ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE SET NULL,
			ADD FOREIGN KEY (todo_id) REFERENCES todos ON DELETE CASCADE;
		ALTER TABLE checklists ADD FOREIGN KEY (todo_id) REFERENCES todos ON DELETE CASCADE;
		ALTER TABLE todo_users ADD FOREIGN KEY (todo_id) REFERENCES todos ON DELETE CASCADE;
		ALTER TABLE todo_tags ADD FOREIGN KEY (todo_id) REFERENCES todos ON DELETE CASCADE;
		ALTER TABLE todo_custom_fields ADD FOREIGN KEY (todo_id) REFERENCES todos ON DELETE CASCADE;`})
	// A row that goes to another partition is inserted there, and gets another uid; TRUNCATE … CASCADE names the tables
	// in another order.
	s.playAll(t, eventCases, "keys_changed", "todo_toast_in_one_transaction", "truncate_cascade")
	s.stop(t)
	wantIDs(t, s.to)
	wantRecords(t, s)
	wantNoLog(t, s, "mirror and stream diverge")
}
