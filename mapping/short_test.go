package mapping

import (
	"slices"
	"testing"
)

// TestChangedKeyOfTheSameID has rows whose mirror key is not their id change it: they were deleted and created, and
// nothing else is told of them.
func TestChangedKeyOfTheSameID(t *testing.T) {
	tables := slices.Clone(worldTables)
	for i, columns := range tables {
		if columns[0] == "todos" || columns[0] == "custom_fields" {
			tables[i] = slices.Insert(slices.Clone(columns), 1, "uid")
		}
	}
	w := newWorldOf(t, tables, nil)
	w.apply(lines(`
		+projects id=web company_id=acme
		+todo_lists id=backlog title=B project_id=web
		+todos uid=one id=t1 title=One todo_list_id=backlog
		+custom_fields uid=one id=size name=Size project_id=web`), func(*Event) {})
	var got []string
	w.apply(lines(`
		-todos uid=one
		+todos uid=two id=t1 title=One todo_list_id=backlog
		+todo_users id=u1 todo_id=t1 user_id=ben
		-custom_fields uid=one
		+custom_fields uid=two id=size name=Size project_id=web
		+custom_field_options id=small title=S custom_field_id=size`), func(e *Event) { got = append(got, e.Type) })
	want := []string{"TODO_DELETED", "RECORD_DELETED", "TODO_CREATED", "RECORD_CREATED", "CUSTOM_FIELD_DELETED",
		"CUSTOM_FIELD_CREATED"}
	if !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}
