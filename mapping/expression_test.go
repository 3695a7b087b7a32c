package mapping

import (
	"strings"
	"testing"
)

var expressionEvents = []string{"TODO_CREATED", "TODO_UPDATED", "TODO_DELETED", "TAG_UPDATED", "COMMENT_CREATED"}

// expressionChanges give, on top of filterWork, TODO_UPDATED of t1, TODO_DELETED of t2, TODO_CREATED of t3, TAG_UPDATED
// of bug and COMMENT_CREATED of c2 on t1 and c3 on none.
const expressionChanges = `
	~todos id=t1 title=Release_2 text=Ship_It archived=f done=t dued_at=2026-04-01_12:00:00+00 ` +
	`created_at=2026-01-02_03:04:05+00 todo_list_id=doing color=#123456 position=1.50 rank=3 meta={"a":{"b":[1,"x"]}}
	-todos id=t2
	+todos id=t3 title=New todo_list_id=inbox
	~tags id=bug title=bug color=#000000 project_id=web
	+comments id=c2 text=Hello todo_id=t1
	+comments id=c3 text=Hello discussion_id=d`

// expressionCases tell for which rows of expressionChanges an expression holds, and how often it fails.
var expressionCases = []struct {
	text   string
	want   string
	failed int
}{
	{`true`, "t1 t2 bug c2 c3 t3", 0},
	{`event == "TODO_DELETED"`, "t2", 0},
	{`event startsWith "TODO"`, "t1 t2 t3", 0},
	{`current?.title contains "Release"`, "t1", 0},
	{`current.title contains "Release"`, "t1", 0},
	{`current.title == "New"`, "t3", 0},
	{`current == nil`, "t2", 0},
	{`previous == nil`, "c2 c3 t3", 0},
	{`previous.title == "Plain" and current.todoList.project.name == nil`, "t2", 0},
	{`previous != nil && previous.done != current.done`, "t1 t2", 0},
	{`"urgent" in tags or "bug" in tags`, "t1 c2", 0},
	{`"ben" in assignees`, "t1 c2", 0},
	{`len(tags) == 0`, "t2 bug c3 t3", 0},
	{`record.title matches "^Rel.*[0-9]$"`, "t1 c2", 0},
	{`record == nil`, "bug c3", 0},
	{`current.todo.title == "Release 2"`, "c2", 0},
	{`record.position == 1.5`, "t1 c2", 0},
	{`record.position * 2 == record.rank`, "t1 c2 bug c3 t2 t3", 4},
	{`record != nil and record.rank != nil and record.rank > 2`, "t1 c2", 0},
	{`record.duedAt != nil and record.duedAt > date("2026-04-01")`, "t1 c2", 0},
	{`record.duedAt?.Hour() == 12`, "t1 c2", 0},
	{`record.duedAt.Hour() == 12`, "t1 c2", 0},
	{`record.title == record.duedAt.Format("2006")`, "bug c3", 0},
	{`record.done == record.duedAt.After(record.createdAt)`, "t1 c2 bug c3 t3", 0}, // nil == nil
	{`record.duedAt != nil && record.duedAt - record.createdAt > duration("2000h")`, "t1 c2", 0},
	{`record.duedAt == date("2026-04-01T14:00:00+02:00")`, "t1 c2", 0},
	{`"title" in changed`, "t1", 0},
	{`"color" in changed`, "bug", 0},
	{`all(changed, # in ["title", "done", "duedAt", "text", "color"]) && len(changed) > 0`, "t1 bug", 0},
	{`project.name == "App"`, "t2 t3", 0},
	{`company?.id == "acme"`, "t1 bug c2", 0},
	{`project == nil`, "c3", 0},
	{`any(record.todoTags ?? [], .tag.title == "bug")`, "t1 c2", 0},
	{`record.todoCustomFields != nil and any(record.todoCustomFields, .customFieldId == "price" and .number > 100)`,
		"t1 c2", 0},
	{`record.meta.a.b[1] == "x"`, "t1 c2", 0},
	{`record["title"] == "New"`, "t3", 0},
	{`let r = record; r.title == "New"`, "t3", 0},
	{`current.done`, "t1", 0},
	{`(record.done ?? false) and event != ""`, "t1 t2 c2", 0},
	{`len(toJSON(record)) > 4`, "t1 t2 c2 t3", 0},
	{`string(current) contains "Hello"`, "c2 c3", 0},
	{`record.meta.a`, "t1 c2", 2},
}

func TestExpressions(t *testing.T) {
	for _, c := range expressionCases {
		t.Run(c.text, func(t *testing.T) {
			w := filterWorld(t)
			r := w.router(Subscription{Events: expressionEvents, If: c.text})
			var got []string
			for _, event := range strings.Fields(w.routed(r, expressionChanges, 1)[0]) {
				_, key, _ := strings.Cut(event, ":")
				got = append(got, key)
			}
			if !sameWords(strings.Join(got, " "), c.want) || len(w.failed) != c.failed {
				t.Errorf("holds for %v, failed %d times; want %s, %d times", got, len(w.failed), c.want, c.failed)
			}
		})
	}
}

func sameWords(a, b string) bool {
	words := map[string]int{}
	for _, w := range strings.Fields(a) {
		words[w]++
	}
	for _, w := range strings.Fields(b) {
		words[w]--
	}
	for _, n := range words {
		if n != 0 {
			return false
		}
	}
	return true
}

// TestExpressionsThatCannotBeUsed are refused without a database.
func TestExpressionsThatCannotBeUsed(t *testing.T) {
	cases := []struct{ text, want string }{
		{`current.title ==`, "unexpected token EOF (1:16)"},
		{"tags contains\n  )", `unexpected token Bracket(")") (2:3)`},
		{`titel == "x"`, "unknown name titel (1:1)"},
		{`record.createdAt < now()`, "now is not available: it reads the clock, and a replay must route alike (1:20)"},
		{`record.createdAt.In(timezone("Local")).Hour() > 1`,
			"timezone is not available: zones are the machine's, and a replay must route alike (1:21)"},
		{`record.createdAt.Local().Hour() > 1`,
			"Local is not available: the zone is the machine's, and a replay must route alike (1:18)"},
		{`let f = record.createdAt["Local"]; f().Hour() > 1`,
			"Local is not available: the zone is the machine's, and a replay must route alike (1:25)"},
		{`let f = record.createdAt["Lo" + "cal"]; f().Hour() > 1`,
			"a computed name can only be a member of a variable (1:25)"},
		{`let f = get(record.createdAt, "Local"); f().Hour() > 1`,
			"get is not available: write the member itself: a.b is nil where there is none (1:9)"},
		{`keys(current)[0] == "id"`, "keys is not available: a map has no order (1:1)"},
		{`$env["current"] != nil`, "$env is not available: name a variable (1:1)"},
		{`let s = 1..99; all(s, {# > 0})`,
			"ranges are not available: only what the event holds can be gone through (1:10)"},
		{`all(tags, {all(tags, {all(tags, {# > "a"})})})`, "more than 2 predicates lie within each other (1:11)"},
		{`reduce(tags, {#acc + #acc}, "x") == "x"`, "reduce is not available: what it builds has no bound (1:1)"},
		{`len(repeat("a", 90000)) > 0`, "repeat is not available: what it builds has no bound (1:5)"},
		{strings.Repeat("(", 10_001), "is longer than 10000 bytes"},
		{strings.Repeat("true or ", 600) + "true", "compilation failed: expression exceeds maximum allowed nodes (1:4006)"},
	}
	for _, c := range cases {
		if err := CheckExpression(c.text); err == nil || err.Error() != c.want {
			t.Errorf("%.60s:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

// TestExpressionsOfAnotherType are refused by the columns' types.
func TestExpressionsOfAnotherType(t *testing.T) {
	w := filterWorld(t)
	cases := []struct{ text, want string }{
		{`current.title > 5`, "if: invalid operation: > (mismatched types string and int) (1:15)"},
		{`current.rank == "3"`, "if: invalid operation: == (mismatched types float64 and string) (1:14)"},
		{`record.duedAt > "2026-01-01"`, "if: invalid operation: > (mismatched types time.Time and string) (1:15)"},
		{`previous?.todoList?.nmae == "x"`, "if: unknown field nmae (1:21)"},
		{`any(record.todoTags, .tag.tilte == "x")`, "if: unknown field tilte (1:27)"},
		{`project.slug == "x"`, "if: unknown field slug (1:9)"},
		{`event + "x"`, "if: expected bool, but got string"},
		{`current.title`, "if: expected bool, but got string"},
	}
	for _, c := range cases {
		_, err := NewRouter(w.model, []Subscription{{Events: expressionEvents, If: c.text}}, nil)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}
