//go:build unix

package soak

import (
	"cmp"
	"slices"
)

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

// scope is one side's project of an event, with what webhooks ask of it.
type scope struct {
	project, company string
	members          []string // users, as of after where the project is known there, else as of before
}

// scopes returns the projects of an event's current and previous value, each once.
func (s *step) scopes(table, id string) []scope {
	before, after := s.views()
	var found []scope
	for _, v := range []view{after, before} {
		t, r := table, v.live(table, id)
		for r != nil && r.text("project_id") == "" {
			up := cmp.Or(chain[t], ownership[t])
			t, r = up.table, v.get(up.table, r.text(up.column))
		}
		if r == nil {
			continue
		}
		sc := scope{project: r.text("project_id")}
		sc.company = v.get("projects", sc.project).text("company_id")
		in := v
		if len(found) > 0 && found[0].project == sc.project {
			in = after
		}
		for _, m := range in.children("project_users", "project_id", sc.project) {
			sc.members = append(sc.members, m.text("user_id"))
		}
		found = append(found, sc)
	}
	return found
}

var ownership = map[string]link{"todos": {"todo_list_id", "todo_lists"}}
