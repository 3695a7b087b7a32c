//go:build unix

package soak

import "slices"

// shortEvents are those of Blue's short form, in the order of the catalogue, sent only to webhooks of that form.
var shortEvents = []string{"RECORD_CREATED", "RECORD_UPDATED", "RECORD_DELETED"}

// shortOf are the events of todos that make one of the short form.
var shortOf = map[string]string{"TODO_CREATED": "RECORD_CREATED", "TODO_DELETED": "RECORD_DELETED",
	"TODO_UPDATED": "RECORD_UPDATED", "TODO_ASSIGNEE_ADDED": "RECORD_UPDATED", "TODO_ASSIGNEE_REMOVED": "RECORD_UPDATED",
	"TODO_TAG_ADDED": "RECORD_UPDATED", "TODO_TAG_REMOVED": "RECORD_UPDATED",
	"TODO_CUSTOM_FIELD_UPDATED": "RECORD_UPDATED"}

// shorten adds the events of the short form: one for a todo, whatever happened to it.
func (f *findings) shorten() {
	short := map[event]*firing{}
	for e, firing := range f.fired {
		name := shortOf[e.name]
		if name == "" || e.entity != "todo" {
			continue
		}
		e.name = name
		if short[e] == nil {
			short[e] = newFiring("")
		}
		short[e].asked = append(short[e].asked, firing.asked...)
	}
	for e, firing := range short {
		f.fired[e] = firing
	}
}

func newFiring(pair string) *firing { return &firing{pairs: []string{pair}} }

// short makes of an event's values those of the short form. Who changed something the log does not say; who made a todo
// its row does.
func (d *due) short() {
	if !slices.Contains(shortEvents, d.name) {
		return
	}
	todo, has := d.values["currentValue"].(map[string]any)
	if !has {
		todo, _ = d.values["previousValue"].(map[string]any)
	}
	var s scope
	if len(d.scopes) > 0 {
		s = d.scopes[0]
	}
	user := any(nil)
	if d.name == "RECORD_CREATED" {
		user = todo["createdById"]
	}
	d.values = map[string]any{"record": todo, "company": idAlone(s.company), "project": idAlone(s.project),
		"user": idAlone(user)}
}

func idAlone(id any) any {
	if id == nil || id == "" {
		return nil
	}
	return map[string]any{"id": id}
}
