package mapping

import (
	"fmt"
	"iter"
	"testing"

	"bluetap/internal/racetest"
)

// bulk is more than what is held of one owner, and than one window holds.
const bulk = 36_000

// bulkReads is how many rows may be read for each that changed.
const bulkReads = 40

// many yields n operations from a format with one number.
func many(n int, format string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range n {
			if !yield(fmt.Sprintf(format, i)) {
				return
			}
		}
	}
}

// TestBulk finds the events of one large transaction about one owner, whose cost must not grow with the square of its
// size, and which have ids of their own though they stand at one position.
//
// Composing them is another matter: each of 36,000 assignees' events holds all of them.
func TestBulk(t *testing.T) {
	racetest.SkipOneByOne(t)
	for _, c := range []struct {
		name    string
		n       int
		changes string
		event   string
		want    int
		records int // that changed
	}{
		{"options of a field", bulk / 4, "+custom_field_options id=o%d title=O custom_field_id=size",
			"CUSTOM_FIELD_UPDATED", 1, 0},
		{"assignees of a todo", bulk, "+todo_users id=m%[1]d todo_id=t1 user_id=m%[1]d", "TODO_ASSIGNEE_ADDED", bulk, 1},
		{"assignees of an item", bulk / 4, "+checklist_item_users id=m%[1]d checklist_item_id=i1 user_id=m%[1]d",
			"TODO_CHECKLIST_ITEM_ASSIGNEE_ADDED", bulk / 4, 0},
		{"options of a todo's field", bulk / 4,
			"+todo_custom_field_options id=m%[1]d todo_custom_field_id=v1 custom_field_option_id=m%[1]d",
			"TODO_CUSTOM_FIELD_UPDATED", 1, 1},
		{"fields of a todo", bulk, "+todo_custom_fields id=m%[1]d number=1 todo_id=t2 custom_field_id=m%[1]d",
			"TODO_CUSTOM_FIELD_UPDATED", bulk, 1},
		{"todos of a list", bulk / 4, "+todos id=n%d title=New todo_list_id=backlog", "TODO_CREATED", bulk / 4, bulk / 4},
		{"comments of a todo", bulk / 4, "+comments id=n%d text=Hi todo_id=t1", "COMMENT_CREATED", bulk / 4, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.apply(lines(someWork), func(*Event) {})
			w.counts = true
			ids, records := map[string]bool{}, map[string]bool{}
			w.apply(many(c.n, c.changes), func(e *Event) {
				if w.reads > bulkReads*c.n {
					t.Fatalf("%d rows read for %d events of %d changes", w.reads, len(ids), c.n)
				}
				if id := e.ID("00000000", w.end); e.short() {
					records[id] = true
				} else if ids[id] = true; e.Type != c.event {
					t.Errorf("event %s, want %s", e.Type, c.event)
				}
			})
			if w.reads > bulkReads*c.n {
				t.Errorf("%d rows read for %d changes", w.reads, c.n)
			}
			if len(ids) != c.want || len(records) != c.records {
				t.Errorf("%d events with different ids of %d records, want %d of %d",
					len(ids), len(records), c.want, c.records)
			}
		})
	}
}

// TestOneOfMany changes little of an owner that has much: what is held does not grow with it, and the events are those
// of what changed.
func TestOneOfMany(t *testing.T) {
	const n = 4 * fewRows
	for _, c := range []struct{ name, given, changes, want string }{
		{"assignee", "+todo_users id=m%[1]d todo_id=t1 user_id=m%[1]d",
			"+todo_users id=new todo_id=t1 user_id=new\n-todo_users id=m7\n+todo_users id=again todo_id=t1 user_id=m7",
			"[TODO_ASSIGNEE_ADDED RECORD_UPDATED]"},
		{"replaced assignees", "+todo_users id=m%[1]d todo_id=t1 user_id=m%[1]d",
			"-todo_users id=m7\n+todo_users id=again todo_id=t1 user_id=m7", "[]"},
		{"value", "+todo_custom_fields id=m%[1]d number=1 todo_id=t2 custom_field_id=m%[1]d",
			"~todo_custom_fields id=m7 number=2 todo_id=t2 custom_field_id=m7", "[TODO_CUSTOM_FIELD_UPDATED RECORD_UPDATED]"},
		{"option of a value", "+todo_custom_fields id=m%[1]d number=1 todo_id=t2 custom_field_id=m%[1]d",
			"+todo_custom_field_options id=new todo_custom_field_id=m7 custom_field_option_id=s",
			"[TODO_CUSTOM_FIELD_UPDATED RECORD_UPDATED]"},
		{"replaced value", "+todo_custom_fields id=m%[1]d number=1 todo_id=t2 custom_field_id=m%[1]d",
			"-todo_custom_fields id=m7\n+todo_custom_fields id=new number=1 todo_id=t2 custom_field_id=m7", "[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.apply(lines(someWork), func(*Event) {})
			w.apply(many(n, c.given), func(*Event) {})
			types := []string{}
			w.apply(lines(c.changes), func(e *Event) { types = append(types, e.Type) })
			if got := fmt.Sprint(types); got != c.want {
				t.Errorf("events %s, want %s", got, c.want)
			}
		})
	}
}
