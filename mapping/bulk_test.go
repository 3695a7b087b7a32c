package mapping

import (
	"fmt"
	"iter"
	"testing"
	"time"
)

const (
	bulk         = 10_000
	bulkPatience = 10 * time.Second // it takes 0.2 s
)

// many yields bulk operations from a format with one number.
func many(format string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for n := range bulk {
			if !yield(fmt.Sprintf(format, n)) {
				return
			}
		}
	}
}

// TestBulk finds the events of one large transaction about one owner, whose cost must not grow with the square of its
// size, and which have ids of their own though they stand at one position.
//
// Composing them is another matter: each of 10,000 assignees' events holds all of them.
func TestBulk(t *testing.T) {
	cases := []struct {
		name    string
		changes iter.Seq[string]
		event   string
		want    int
		records int // that changed
	}{
		{"options of a field", many("+custom_field_options id=o%d title=O custom_field_id=size"),
			"CUSTOM_FIELD_UPDATED", 1, 0},
		{"assignees of a todo", many("+todo_users id=m%[1]d todo_id=t1 user_id=m%[1]d"), "TODO_ASSIGNEE_ADDED", bulk, 1},
		{"assignees of an item", many("+checklist_item_users id=m%[1]d checklist_item_id=i1 user_id=m%[1]d"),
			"TODO_CHECKLIST_ITEM_ASSIGNEE_ADDED", bulk, 0},
		{"options of a todo's field",
			many("+todo_custom_field_options id=m%[1]d todo_custom_field_id=v1 custom_field_option_id=m%[1]d"),
			"TODO_CUSTOM_FIELD_UPDATED", 1, 1},
		{"fields of a todo", many("+todo_custom_fields id=m%[1]d number=1 todo_id=t2 custom_field_id=m%[1]d"),
			"TODO_CUSTOM_FIELD_UPDATED", bulk, 1},
		{"todos of a list", many("+todos id=n%d title=New todo_list_id=backlog"), "TODO_CREATED", bulk, bulk},
		{"comments of a todo", many("+comments id=n%d text=Hi todo_id=t1"), "COMMENT_CREATED", bulk, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.apply(lines(someWork), func(*Event) {})
			started, ids, records := time.Now(), map[string]bool{}, map[string]bool{}
			w.apply(c.changes, func(e *Event) {
				if took := time.Since(started); took > bulkPatience {
					t.Fatalf("%d events took %s", len(ids), took)
				}
				if id := e.ID("00000000", w.end); e.short() {
					records[id] = true
				} else if ids[id] = true; e.Type != c.event {
					t.Errorf("event %s, want %s", e.Type, c.event)
				}
			})
			if len(ids) != c.want || len(records) != c.records {
				t.Errorf("%d events with different ids of %d records, want %d of %d",
					len(ids), len(records), c.want, c.records)
			}
		})
	}
}
