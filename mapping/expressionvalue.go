package mapping

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/expr-lang/expr/types"

	"bluetap/capture"
	"bluetap/mapping/value"
)

// variables are the types of an expression's variables, for events that send these entities: a field that one of them
// has is known.
func (m *Model) variables(entities []Entity) types.Map {
	sent := types.Map{}
	for _, e := range entities {
		sent = union(sent, m.typeOf(e, place{}))
	}
	texts := types.TypeOf([]string{})
	known := types.Map{"event": types.String, "previous": sent, "current": sent, "changed": texts}
	for _, v := range []struct {
		name  string
		of    types.Type
		needs []need
	}{
		{"record", m.typeOf(Todo, place{}), []need{{Todo, ""}}},
		{"tags", texts, ofTags("title")},
		{"assignees", texts, ofAssignees},
		{"project", m.typeOf(Project, place{}), []need{{Project, ""}}},
		{"company", m.typeOf(Company, place{}), []need{{Company, ""}}},
	} {
		if m.lacks(v.needs...) == "" {
			known[v.name] = v.of
		}
	}
	return known
}

// typeOf is the type of an entity's value, by the same rules as the value itself is composed.
func (m *Model) typeOf(e Entity, at place) types.Map {
	t := types.Map{}
	for _, f := range m.columns(e) {
		if f.Sent {
			t[f.Name] = typeOfColumn(f.Type)
		}
	}
	if at.scalarsOnly {
		return t
	}
	for _, n := range e.definition().nested {
		if n.entity == at.from && n.via == at.via || !m.Has(n.entity) {
			continue
		}
		related := types.Type(m.typeOf(n.entity, place{from: e, via: n.via, scalarsOnly: n.scalarsOnly}))
		if n.many {
			related = types.Array(related)
		}
		t[n.name] = related
	}
	return t
}

func typeOfColumn(t capture.Type) types.Type {
	switch {
	case value.IsBool(t):
		return types.Bool
	case value.IsNumber(t):
		return types.Float64
	case value.IsTime(t):
		return types.TypeOf(time.Time{})
	case value.IsDocument(t) || t.Elem != 0:
		return types.Any
	}
	return types.String
}

// union knows the fields of both; one that they do not have alike is of any type.
func union(a, b types.Map) types.Map {
	both := types.Map{}
	for name, t := range a {
		both[name] = t
	}
	for name, t := range b {
		if other, ok := both[name]; ok && !other.Equal(t) {
			t = types.Any
		}
		both[name] = t
	}
	return both
}

// variables returns what an expression reads of the event. What one expression has built, others find: it is built for
// all that any expression reads of it.
func (a *asked) variables(names []string) (map[string]any, error) {
	if a.built == nil {
		a.built = make(map[string]any, len(variables))
	}
	for _, name := range names {
		if _, known := a.built[name]; known {
			continue
		}
		v, err := a.variable(name, a.uses[name])
		if err != nil {
			return nil, err
		}
		a.built[name] = v
	}
	return a.built, nil
}

func (a *asked) variable(name string, u *use) (any, error) {
	e := a.event
	switch name {
	case "event":
		return e.Type, nil
	case "previous":
		return e.before.plain(e.previous, u, place{})
	case "current":
		return e.after.plain(e.current, u, place{})
	case "changed":
		return e.changedFields(), nil
	case "project", "company":
		return a.whose(name, u)
	}
	s, err := a.current()
	if err != nil || s.row == nil || s.row.shape.entity != Todo {
		if name == "record" {
			return nil, err
		}
		return []string{}, err
	}
	switch name {
	case "tags":
		return textsOf(s.tags, "title")
	case "assignees":
		return textsOf(s.assignees, "userId")
	}
	return s.state.plain(s.row, u, place{})
}

func textsOf(read func() ([]*Row, error), name string) ([]string, error) {
	rows, err := read()
	texts := make([]string, 0, len(rows))
	for _, row := range rows {
		if text, ok := row.text(name); ok {
			texts = append(texts, text)
		}
	}
	return texts, err
}

// whose returns the event's project or company: that of the current value, else of the previous one.
func (a *asked) whose(name string, u *use) (any, error) {
	scopes, err := a.scopes()
	if err != nil || len(scopes) == 0 {
		return nil, err
	}
	entity, id := Project, scopes[0].project
	if name == "company" {
		entity, id = Company, scopes[0].company
	}
	row, err := scopes[0].in.byID(entity, id)
	if err != nil {
		return nil, err
	}
	return scopes[0].in.plain(row, u, place{})
}

// changedFields are the names of the sent fields that differ, none for a creation or deletion.
func (e *Event) changedFields() []string {
	names := []string{}
	if e.previous == nil || e.current == nil {
		return names
	}
	for i, f := range e.current.shape.fields {
		if e.current.shape.sent[i] && fieldDiffers(e.previous, e.current, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

// plain returns what is read of a row's value as an expression has it: a map, or nil for no row. It is composed as the
// payload is.
func (s state) plain(r *Row, u *use, at place) (any, error) {
	if r == nil {
		return nil, nil
	}
	v := map[string]any{}
	for i, f := range r.shape.fields {
		if r.shape.sent[i] && r.cells[i].kind == cellText && u.of(f.Name) != nil {
			v[f.Name] = plainCell(f.Type, r.cells[i].text)
		}
	}
	if at.scalarsOnly {
		return v, nil
	}
	for _, n := range r.shape.entity.definition().nested {
		wayBack := n.entity == at.from && n.via == at.via
		read := u.of(n.name)
		if wayBack || read == nil || !s.model.Has(n.entity) {
			continue
		}
		var err error
		if v[n.name], err = s.plainNested(r, n, read); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (s state) plainNested(r *Row, n nested, u *use) (any, error) {
	at := place{from: r.shape.entity, via: n.via, scalarsOnly: n.scalarsOnly}
	if !n.many {
		related, err := s.parent(r, n.entity, n.via)
		if err != nil {
			return nil, err
		}
		return s.plain(related, u, at)
	}
	rows, err := s.children(n.entity, n.via, r.id())
	if err != nil {
		return nil, err
	}
	byPosition(rows)
	list := make([]any, len(rows))
	for i, row := range rows {
		if list[i], err = s.plain(row, u, at); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// plainCell returns a column's value: a bool, float64, time.Time in UTC, what a JSON document holds, or the text that a
// payload has.
func plainCell(t capture.Type, text []byte) any {
	switch {
	case value.IsBool(t):
		return string(text) == "t"
	case value.IsNumber(t):
		if f, err := strconv.ParseFloat(string(text), 64); err == nil {
			return f
		}
	case value.IsTime(t):
		if at, ok := value.Time(text); ok {
			return at
		}
	}
	var v any
	if err := json.Unmarshal(value.Append(nil, t, text), &v); err != nil {
		return string(text) // what is appended is always JSON
	}
	return v
}
