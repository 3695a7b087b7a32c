package mapping

import (
	"fmt"
	"slices"
	"strings"

	"bluetap/capture"
	"bluetap/internal/hint"
)

// deletedAt is the column that makes a row soft-deleted when it is not null.
const deletedAt = "deletedAt"

// field is one column of a mirrored row.
type field struct {
	Name   string       `json:"name"`   // as in payloads
	Source string       `json:"source"` // the table's column
	Type   capture.Type `json:"type"`
	Sent   bool         `json:"sent"`  // false: mirrored for its key or soft delete only
	Place  int          `json:"place"` // the column's rank among the mirrored ones of the table
}

// layout is how the columns of one table, at one moment, become the fields of a mirrored row.
type layout struct {
	fields   []field
	columns  []int // by field: the position of its column
	key      []int // positions of the key's columns
	warnings []string
}

// layout arranges columns in payload order: the listed scalars, what is passed through, and last, unsent, what is
// needed for the key and for soft deletes. An error means that the key cannot be built from these columns.
func (t *table) layout(columns []capture.Column) (*layout, error) {
	l := &layout{}
	used := make(map[int]bool)
	for _, name := range t.def.scalars {
		i := t.find(name, columns)
		if i < 0 {
			continue
		}
		used[i] = true
		if sent := !t.omits(name); sent || t.needs(name) {
			l.add(name, columns, i, sent)
		}
	}
	if t.def.passThrough {
		t.passThrough(l, columns, used)
	}
	if i := t.find(deletedAt, columns); i >= 0 && !l.mirrors(columns[i].Name) {
		l.add(deletedAt, columns, i, false)
	}
	var err error
	if l.key, err = t.keyColumns(columns); err != nil {
		return nil, err
	}
	for _, i := range l.key {
		if name := columns[i].Name; !l.mirrors(name) {
			l.add(hiddenName(name), columns, i, false)
		}
	}
	for i, column := range l.columns {
		for _, other := range l.columns {
			if other < column {
				l.fields[i].Place++
			}
		}
	}
	return l, nil
}

// keyColumns returns the positions of the mirror key's columns, in the order of the columns, so that a key stays the
// same when its columns are renamed. The stream flags them, but for REPLICA IDENTITY FULL, where it flags all columns
// and the key is the primary key that the catalog named.
func (t *table) keyColumns(columns []capture.Column) ([]int, error) {
	var named, flagged []int
	for i, c := range columns {
		if slices.Contains(t.source.Key, c.Name) {
			named = append(named, i)
		}
		if c.Key {
			flagged = append(flagged, i)
		}
	}
	full := len(flagged) == 0 || len(flagged) == len(columns)
	switch {
	case len(named) == len(t.source.Key) && (full || slices.Equal(named, flagged)):
		return named, nil
	case len(named) < len(t.source.Key) && len(flagged) == len(t.source.Key):
		return flagged, nil
	}
	return nil, hint.New(fmt.Errorf("the replica identity of table %s was (%s) and is another",
		t.source.Name, strings.Join(t.source.Key, ", ")), "start bluetap again: it says what can be done")
}

// needs tells whether the model cannot do without a field, though it may not be sent: ids, keys of other rows and the
// mark of a soft delete.
func (t *table) needs(name string) bool {
	e := t.def.entity
	by := func(l link) bool { return l.via == name }
	return name == "id" || name == deletedAt || name == "projectId" || name == "companyId" ||
		slices.ContainsFunc(t.def.nested, func(n nested) bool { return !n.many && n.via == name }) ||
		slices.ContainsFunc(indexes, func(x index) bool { return x.entity == e && x.via == name }) ||
		by(recordChain[e]) || by(projectChain[e])
}

// hiddenName is the field name of a column that is mirrored but has no name in payloads.
func hiddenName(column string) string { return "\x00" + column }

func (t *table) passThrough(l *layout, columns []capture.Column, used map[int]bool) {
	for i, c := range columns {
		name := t.fieldName(c.Name)
		if used[i] || t.omits(name) {
			continue
		}
		if why := t.unfit(l, name); why != "" {
			l.warnings = append(l.warnings, fmt.Sprintf("table %s: column %s is left out: %s", t.source.Name, c.Name, why))
			continue
		}
		l.add(name, columns, i, true)
	}
}

// fieldName is a further column's name in payloads.
func (t *table) fieldName(column string) string {
	for name, source := range t.override.Columns {
		if source == column {
			return name
		}
	}
	return camelCase(column)
}

// unfit tells why a further column cannot be sent under name, or "".
func (t *table) unfit(l *layout, name string) string {
	switch {
	case name == "":
		return "its name has no letters"
	case looksLikeInteger(name):
		return "its name looks like an integer, which JavaScript would move to the front"
	case slices.Contains(t.def.scalars, name) || l.sourceOf(name) != "":
		return fmt.Sprintf("another column is sent as %s", name)
	case slices.ContainsFunc(t.def.nested, func(n nested) bool { return n.name == name }):
		return fmt.Sprintf("%s is a related row in payloads", name)
	}
	return ""
}

// find returns the position of the column that holds the field, or -1: the one named by the override, else one whose
// name in camelCase is the field's, else, for a foreign key todoListId, one named after the relation, todoList.
func (t *table) find(name string, columns []capture.Column) int {
	if source, ok := t.override.Columns[name]; ok {
		return slices.IndexFunc(columns, func(c capture.Column) bool { return c.Name == source })
	}
	if i := slices.IndexFunc(columns, func(c capture.Column) bool { return camelCase(c.Name) == name }); i >= 0 {
		return i
	}
	if relation, ok := strings.CutSuffix(name, "Id"); ok {
		return slices.IndexFunc(columns, func(c capture.Column) bool { return camelCase(c.Name) == relation })
	}
	return -1
}

func (t *table) omits(name string) bool { return slices.Contains(t.override.Omit, name) }

func (l *layout) add(name string, columns []capture.Column, i int, sent bool) {
	l.fields = append(l.fields, field{Name: name, Source: columns[i].Name, Type: columns[i].Type, Sent: sent})
	l.columns = append(l.columns, i)
}

func (l *layout) mirrors(column string) bool {
	return slices.ContainsFunc(l.fields, func(f field) bool { return f.Source == column })
}

func (l *layout) sourceOf(name string) string {
	for _, f := range l.fields {
		if f.Name == name {
			return f.Source
		}
	}
	return ""
}
