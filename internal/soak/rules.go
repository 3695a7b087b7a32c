//go:build unix

package soak

import (
	"cmp"
	"fmt"
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

// events returns what a transaction must fire, and how often: an event of a relation once for every pair.
func (s *step) events() map[event]int {
	fired, asked := map[event]int{}, map[string]bool{}
	once := func(question string) bool {
		first := !asked[question]
		asked[question] = true
		return first
	}
	for _, at := range s.order {
		if sub, ok := subjects[at.table]; ok {
			s.attributes(sub, at, fired)
		}
		if p, ok := pairings[at.table]; ok {
			s.pairs(p, at, once, fired)
		}
		switch at.table {
		case "custom_fields", "custom_field_options":
			s.fields(at, once, fired)
		case "todo_custom_fields", "todo_custom_field_options":
			s.fieldValues(at, once, fired)
		}
	}
	return fired
}

func (s *step) attributes(sub subject, at place, fired map[event]int) {
	before, after := s.views()
	was, is := before.live(at.table, at.id), after.live(at.table, at.id)
	fire := func(name string) { fired[event{name, sub.entity, at.id}]++ }
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

func (s *step) pairs(p pairing, at place, once func(string) bool, fired map[event]int) {
	before, after := s.views()
	s.sides(at, func(_ view, r row) {
		owner, opposite := r.text(p.via), r.text(p.opposite)
		if !once(at.table+"/"+owner+"/"+opposite) || !s.stays(p.owner, owner) {
			return
		}
		holds := func(v view) bool {
			return slices.ContainsFunc(v.children(at.table, p.via, owner),
				func(r row) bool { return r.text(p.opposite) == opposite })
		}
		e := event{entity: subjects[p.owner].entity, id: owner}
		switch was, is := holds(before), holds(after); {
		case is && !was:
			e.name = p.added
		case was && !is:
			e.name = p.removed
		default:
			return
		}
		fired[e]++
	})
}

func (s *step) fields(at place, once func(string) bool, fired map[event]int) {
	before, after := s.views()
	s.sides(at, func(_ view, r row) {
		id := at.id
		if at.table == "custom_field_options" {
			id = r.text("custom_field_id")
		}
		if !once("field/"+id) || !s.stays("custom_fields", id) {
			return
		}
		options := func(v view) []row {
			all := v.children("custom_field_options", "custom_field_id", id)
			slices.SortFunc(all, func(a, b row) int { return strings.Compare(a.id(), b.id()) })
			return all
		}
		same := func(a, b row) bool { return a.id() == b.id() && !differ(a, b, nil) }
		if differ(before.get("custom_fields", id), after.get("custom_fields", id), nil) ||
			!slices.EqualFunc(options(before), options(after), same) {
			fired[event{"CUSTOM_FIELD_UPDATED", "customField", id}]++
		}
	})
}

func (s *step) fieldValues(at place, once func(string) bool, fired map[event]int) {
	before, after := s.views()
	s.sides(at, func(v view, r row) {
		if at.table == "todo_custom_field_options" {
			r = v.get("todo_custom_fields", r.text("todo_custom_field_id"))
		}
		todo, field := r.text("todo_id"), r.text("custom_field_id")
		if !once("value/"+todo+"/"+field) || !s.stays("todos", todo) {
			return
		}
		if !slices.Equal(fieldContents(before, todo, field), fieldContents(after, todo, field)) {
			fired[event{"TODO_CUSTOM_FIELD_UPDATED", "todo", todo}]++
		}
	})
}

// fieldContents is what a todo has in a custom field, ids and timestamps left out.
func fieldContents(v view, todo, field string) []string {
	var contents []string
	for _, r := range v.children("todo_custom_fields", "todo_id", todo) {
		if r.text("custom_field_id") != field {
			continue
		}
		var chosen []string
		for _, option := range v.children("todo_custom_field_options", "todo_custom_field_id", r.id()) {
			chosen = append(chosen, option.text("custom_field_option_id"))
		}
		slices.Sort(chosen)
		contents = append(contents, fmt.Sprintf("%#v %#v %#v %#v %#v %#v %#v %#v %q", r["number"], r["text"],
			r["region_code"], r["country_codes"], r["checked"], r["latitude"], r["longitude"], r["currency"], chosen))
	}
	slices.Sort(contents)
	return contents
}

// records returns whose order an event about the row obeys: as it is, else as it was, and both if they differ. A row
// that is marked as deleted is none.
func (s *step) records(table, id string) []string {
	before, after := s.views()
	return recordsOf(table, after.live(table, id), after, before.live(table, id), before)
}

// touched returns the records of a row, marked as deleted or not.
func (s *step) touched(at place) []string {
	before, after := s.views()
	return recordsOf(at.table, after.get(at.table, at.id), after, before.get(at.table, at.id), before)
}

func recordsOf(table string, is row, after view, was row, before view) []string {
	var found []string
	if is != nil {
		found = append(found, after.record(table, is))
	}
	if was != nil {
		if record := before.record(table, was); !slices.Contains(found, record) {
			found = append(found, record)
		}
	}
	return found
}

// record follows the foreign keys of a row up to its todo.
func (v view) record(table string, r row) string {
	for {
		up, ok := chain[table]
		if !ok || r.text(up.column) == "" {
			return table + "/" + r.id()
		}
		above := v.get(up.table, r.text(up.column))
		if above == nil {
			return up.table + "/" + r.text(up.column)
		}
		table, r = up.table, above
	}
}

type link struct{ column, table string }

var chain = map[string]link{
	"comments": {"todo_id", "todos"}, "checklists": {"todo_id", "todos"},
	"checklist_items": {"checklist_id", "checklists"}, "todo_users": {"todo_id", "todos"},
	"todo_tags": {"todo_id", "todos"}, "todo_custom_fields": {"todo_id", "todos"},
	"todo_custom_field_options": {"todo_custom_field_id", "todo_custom_fields"},
	"checklist_item_users":      {"checklist_item_id", "checklist_items"},
}

// projects returns the projects of an event's previous and current value.
func (s *step) projects(table, id string) []string {
	before, after := s.views()
	var found []string
	for _, v := range []view{before, after} {
		t, r := table, v.live(table, id)
		for r != nil && r.text("project_id") == "" {
			up := cmp.Or(chain[t], ownership[t])
			t, r = up.table, v.get(up.table, r.text(up.column))
		}
		if r != nil {
			found = append(found, r.text("project_id"))
		}
	}
	return found
}

var ownership = map[string]link{"todos": {"todo_list_id", "todo_lists"}}
