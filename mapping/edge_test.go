package mapping

import (
	"slices"
	"testing"
)

// TestEdgesOfOneRecord has events whose record is another before and after, or soft-deleted: an edge is the record's.
// t1 has the tag that is asked for, t2 has not.
func TestEdgesOfOneRecord(t *testing.T) {
	tables := slices.Clone(filterTables)
	for i, columns := range tables {
		if columns[0] == "todos" {
			tables[i] = append(slices.Clone(columns), "deleted_at:time")
		}
	}
	const gone = "~todos id=t1 title=Über_Release todo_list_id=doing deleted_at=2026-05-01_00:00:00+00\n"
	for _, c := range []struct{ name, given, changes, starts, stops string }{
		{"comment leaves a todo that matches on", "", "~comments id=c1 text=New todo_id=t2", "", ""},
		{"comment comes to a todo that matched before", "+comments id=c2 text=Hi todo_id=t2",
			"~comments id=c2 text=New todo_id=t1", "", ""},
		{"comment of a todo that stops", "", "-todo_tags id=g1\n~comments id=c1 text=New todo_id=t1",
			"", "COMMENT_UPDATED:c1"},
		{"comment of a todo that starts", "+comments id=c2 text=Hi todo_id=t2",
			"+todo_tags id=g2 todo_id=t2 tag_id=bug\n~comments id=c2 text=New todo_id=t2", "COMMENT_UPDATED:c2", ""},
		{"comment on a soft-deleted todo", gone, "+comments id=c2 text=Hi todo_id=t1", "", ""},
		{"comment goes from a soft-deleted todo", gone, "-comments id=c1", "", ""},
		{"todo is soft-deleted", "", gone + "~comments id=c1 text=New todo_id=t1", "", "COMMENT_UPDATED:c1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorldOf(t, tables, nil)
			w.apply(lines(filterWork), func(*Event) {})
			if c.given != "" {
				w.apply(lines(c.given), func(*Event) {})
			}
			var subscriptions []Subscription
			for _, match := range []string{"startsMatching", "stopsMatching"} {
				f := listed("tagIds", "bug")
				f.Match = match
				subscriptions = append(subscriptions, Subscription{Filter: f,
					Events: []string{"COMMENT_CREATED", "COMMENT_UPDATED", "COMMENT_DELETED"}})
			}
			got := w.routed(w.router(subscriptions...), c.changes, 2)
			if got[0] != c.starts || got[1] != c.stops {
				t.Errorf("starts %q, stops %q; want %q, %q", got[0], got[1], c.starts, c.stops)
			}
		})
	}
}

// TestFieldsThatCannotBeAskedAbout answer to no operator, with a value and without.
func TestFieldsThatCannotBeAskedAbout(t *testing.T) {
	w := filterWorld(t)
	var subscriptions []Subscription
	for op := range operators {
		f := fieldIs("place", op, "Berlin")
		if op == "IS" || op == "NOT" {
			f = fieldIs("place", op)
		}
		subscriptions = append(subscriptions, Subscription{Events: []string{"TODO_UPDATED"}, Filter: f})
	}
	for i, got := range w.routed(w.router(subscriptions...), touchBoth, len(subscriptions)) {
		if got != "" {
			t.Errorf("%+v matches %q", subscriptions[i].Filter.Fields, got)
		}
	}
}
