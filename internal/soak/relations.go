//go:build unix

package soak

import (
	"fmt"
	"slices"
	"strings"
)

func (s *step) pairs(p pairing, at place, f *findings) {
	before, after := s.views()
	s.sides(at, func(_ view, r row) {
		owner, opposite := r.text(p.via), r.text(p.opposite)
		if !f.once(at.table+"/"+owner+"/"+opposite) || !s.stays(p.owner, owner) {
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
		f.fire(e, opposite)
	})
}

func (s *step) fields(at place, f *findings) {
	before, after := s.views()
	s.sides(at, func(_ view, r row) {
		id := at.id
		if at.table == "custom_field_options" {
			id = r.text("custom_field_id")
		}
		if !f.once("field/"+id) || !s.stays("custom_fields", id) {
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
			f.fire(event{"CUSTOM_FIELD_UPDATED", "customField", id}, "")
		}
	})
}

func (s *step) fieldValues(at place, f *findings) {
	before, after := s.views()
	s.sides(at, func(v view, r row) {
		if at.table == "todo_custom_field_options" {
			r = v.get("todo_custom_fields", r.text("todo_custom_field_id"))
		}
		todo, field := r.text("todo_id"), r.text("custom_field_id")
		if !f.once("value/"+todo+"/"+field) || !s.stays("todos", todo) {
			return
		}
		if !slices.Equal(fieldContents(before, todo, field), fieldContents(after, todo, field)) {
			f.fire(event{"TODO_CUSTOM_FIELD_UPDATED", "todo", todo}, field)
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
