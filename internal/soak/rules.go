//go:build unix

package soak

import (
	"reflect"
	"slices"
	"strings"
)

// event is one event that a transaction must fire.
type event struct{ name, entity, id string }

// subject is a table whose rows fire events of their own.
type subject struct {
	entity           string
	created, deleted string
	changed          []attribute
	dates            string // prefix of the three events about startedAt and duedAt
}

// attribute is an event that fires when one of the columns differs; no columns: any beyond timestamps.
type attribute struct {
	event   string
	columns []string
}

// subjects is the page about events, by table.
var subjects = map[string]subject{
	"todos": {"todo", "TODO_CREATED", "TODO_DELETED", []attribute{{"TODO_MOVED", []string{"todo_list_id"}},
		{"TODO_NAME_CHANGED", []string{"title"}}, {"TODO_DONE_STATUS_UPDATED", []string{"done"}},
		{"TODO_UPDATED", nil}, {"TODO_DESCRIPTION_CHANGED", []string{"html", "text"}}}, "TODO_DUE_DATE"},
	"checklists": {"checklist", "TODO_CHECKLIST_CREATED", "TODO_CHECKLIST_DELETED",
		[]attribute{{"TODO_CHECKLIST_NAME_CHANGED", []string{"title"}}}, ""},
	"checklist_items": {"checklistItem", "TODO_CHECKLIST_ITEM_CREATED", "TODO_CHECKLIST_ITEM_DELETED",
		[]attribute{{"TODO_CHECKLIST_ITEM_NAME_CHANGED", []string{"title"}},
			{"TODO_CHECKLIST_ITEM_DONE_STATUS_UPDATED", []string{"done"}}}, "TODO_CHECKLIST_ITEM_DUE_DATE"},
	"todo_lists": {"todoList", "TODO_LIST_CREATED", "TODO_LIST_DELETED",
		[]attribute{{"TODO_LIST_NAME_CHANGED", []string{"title"}}, {"TODO_LIST_MOVED", []string{"project_id"}}}, ""},
	"custom_fields": {"customField", "CUSTOM_FIELD_CREATED", "CUSTOM_FIELD_DELETED", nil, ""},
	"tags":          {"tag", "TAG_CREATED", "TAG_DELETED", []attribute{{"TAG_UPDATED", nil}}, ""},
	"comments": {"comment", "COMMENT_CREATED", "COMMENT_DELETED",
		[]attribute{{"COMMENT_UPDATED", []string{"html", "text"}}}, ""},
}

// pairing is a table of pairs that belong to an owner.
type pairing struct {
	owner, via, opposite string // the owner's table
	added, removed       string
}

var pairings = map[string]pairing{
	"todo_users": {"todos", "todo_id", "user_id", "TODO_ASSIGNEE_ADDED", "TODO_ASSIGNEE_REMOVED"},
	"todo_tags":  {"todos", "todo_id", "tag_id", "TODO_TAG_ADDED", "TODO_TAG_REMOVED"},
	"checklist_item_users": {"checklist_items", "checklist_item_id", "user_id",
		"TODO_CHECKLIST_ITEM_ASSIGNEE_ADDED", "TODO_CHECKLIST_ITEM_ASSIGNEE_REMOVED"},
}

// extensions go only to webhooks that name them.
var extensions = []string{"TODO_UPDATED", "TODO_DESCRIPTION_CHANGED", "TODO_LIST_MOVED"}

// catalogue is the order of events of one row in one transaction.
var catalogue = func() map[string]int {
	order := map[string]int{}
	for name := range strings.FieldsSeq(`
		TODO_CREATED TODO_DELETED TODO_MOVED TODO_NAME_CHANGED TODO_DONE_STATUS_UPDATED
		TODO_DUE_DATE_ADDED TODO_DUE_DATE_UPDATED TODO_DUE_DATE_REMOVED
		TODO_ASSIGNEE_ADDED TODO_ASSIGNEE_REMOVED TODO_TAG_ADDED TODO_TAG_REMOVED TODO_CUSTOM_FIELD_UPDATED
		TODO_CHECKLIST_CREATED TODO_CHECKLIST_NAME_CHANGED TODO_CHECKLIST_DELETED
		TODO_CHECKLIST_ITEM_CREATED TODO_CHECKLIST_ITEM_NAME_CHANGED TODO_CHECKLIST_ITEM_DELETED
		TODO_CHECKLIST_ITEM_DUE_DATE_ADDED TODO_CHECKLIST_ITEM_DUE_DATE_UPDATED TODO_CHECKLIST_ITEM_DUE_DATE_REMOVED
		TODO_CHECKLIST_ITEM_ASSIGNEE_ADDED TODO_CHECKLIST_ITEM_ASSIGNEE_REMOVED TODO_CHECKLIST_ITEM_DONE_STATUS_UPDATED
		TODO_LIST_CREATED TODO_LIST_NAME_CHANGED TODO_LIST_DELETED
		CUSTOM_FIELD_CREATED CUSTOM_FIELD_UPDATED CUSTOM_FIELD_DELETED TAG_CREATED TAG_UPDATED TAG_DELETED
		COMMENT_CREATED COMMENT_UPDATED COMMENT_DELETED
		TODO_UPDATED TODO_DESCRIPTION_CHANGED TODO_LIST_MOVED RECORD_CREATED RECORD_UPDATED RECORD_DELETED`) {
		order[name] = len(order)
	}
	return order
}()

// firing is an event that a transaction must fire: once for every pair. What is about no relation has the one pair "".
type firing struct {
	pairs []string
	asked []*question
}

// question is asked of a transaction once, and answered by all rows that it touched and that have a say in the answer.
type question struct{ at []int }

// findings are what a transaction fires, as far as its rows are looked at.
type findings struct {
	at      int // the row that is looked at, by its place in step.order
	fired   map[event]*firing
	asked   map[string]*question
	current *question
}

// once tells whether it is asked for the first time.
func (f *findings) once(text string) bool {
	q, known := f.asked[text]
	if !known {
		q = &question{}
		f.asked[text] = q
	}
	q.at = append(q.at, f.at)
	f.current = q
	return !known
}

// fire is the answer to the current question.
func (f *findings) fire(e event, pair string) {
	if f.fired[e] == nil {
		f.fired[e] = &firing{}
	}
	f.fired[e].pairs = append(f.fired[e].pairs, pair)
	f.fired[e].asked = append(f.fired[e].asked, f.current)
}

// places are where in the order of rows the event may stand: by the first change of one that has a say in it.
func (f *firing) places() []int {
	var all []int
	for _, q := range f.asked {
		all = append(all, q.at...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// events returns what a transaction must fire.
func (s *step) events() map[event]*firing {
	f := &findings{fired: map[event]*firing{}, asked: map[string]*question{}}
	for i, at := range s.order {
		f.at = i
		if sub, ok := subjects[at.table]; ok {
			f.once("row/" + at.table + "/" + at.id)
			s.attributes(sub, at, f)
		}
		if p, ok := pairings[at.table]; ok {
			s.pairs(p, at, f)
		}
		switch at.table {
		case "custom_fields", "custom_field_options":
			s.fields(at, f)
		case "todo_custom_fields", "todo_custom_field_options":
			s.fieldValues(at, f)
		}
	}
	f.shorten()
	return f.fired
}

func (s *step) attributes(sub subject, at place, f *findings) {
	before, after := s.views()
	was, is := before.live(at.table, at.id), after.live(at.table, at.id)
	fire := func(name string) { f.fire(event{name, sub.entity, at.id}, "") }
	switch {
	case was == nil && is == nil:
	case was == nil:
		fire(sub.created)
	case is == nil:
		fire(sub.deleted)
	default:
		for _, a := range sub.changed {
			if differ(was, is, a.columns) {
				fire(a.event)
			}
		}
		if sub.dates != "" && differ(was, is, []string{"started_at", "dued_at"}) {
			fire(sub.dates + dateChange(was, is))
		}
	}
}

func dateChange(was, is row) string {
	switch {
	case was["started_at"] == nil && was["dued_at"] == nil:
		return "_ADDED"
	case is["started_at"] == nil && is["dued_at"] == nil:
		return "_REMOVED"
	}
	return "_UPDATED"
}

// differ tells whether one of the columns differs, or, if none is named, any that is no timestamp.
func differ(was, is row, columns []string) bool {
	if columns != nil {
		return slices.ContainsFunc(columns, func(c string) bool { return was[c] != is[c] })
	}
	for column := range is {
		if column != "created_at" && column != "updated_at" && !reflect.DeepEqual(was[column], is[column]) {
			return true
		}
	}
	return false
}

// sides calls f for a touched row as it was and as it is, where there is one.
func (s *step) sides(at place, f func(v view, r row)) {
	before, after := s.views()
	for _, v := range []view{before, after} {
		if r := v.get(at.table, at.id); r != nil {
			f(v, r)
		}
	}
}

// stays tells whether a row is there on both sides.
func (s *step) stays(table, id string) bool {
	before, after := s.views()
	return before.live(table, id) != nil && after.live(table, id) != nil
}
