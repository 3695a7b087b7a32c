package mapping

import (
	"slices"
	"strings"
	"testing"

	"bluetap/capture"
)

// catalogTable is a table whose key is its first column.
func catalogTable(oid uint32, name string, columns ...string) capture.Table {
	t := capture.Table{OID: oid, Schema: "public", Name: name, Identity: capture.IdentityDefault, Key: columns[:1]}
	for _, c := range columns {
		t.Columns = append(t.Columns, capture.Column{Name: c, Type: capture.Type{OID: 25}, Key: c == columns[0]})
	}
	return t
}

// fieldsOf returns the sent fields of the entity's table, and what is mirrored unsent in brackets.
func fieldsOf(t *testing.T, m *Model, e Entity) string {
	t.Helper()
	l, err := m.tables[e].layout(m.tables[e].source.Columns)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range l.fields {
		name := f.Name + "=" + f.Source
		if !f.Sent {
			name = "[" + f.Source + "]"
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func TestResolveLayouts(t *testing.T) {
	cases := []struct {
		name  string
		table capture.Table
		want  string
	}{
		{"snake case, payload order, further columns in table order",
			catalogTable(1, "todo_lists", "id", "is_locked", "project_id", "title", "uid", "__odd__name"),
			"id=id uid=uid title=title projectId=project_id isLocked=is_locked oddName=__odd__name"},
		{"Prisma", catalogTable(1, "TodoList", "id", "createdAt", "projectId"),
			"id=id createdAt=createdAt projectId=projectId"},
		{"older Prisma: foreign keys named after the relation",
			catalogTable(1, "TodoList", "id", "createdBy", "project"), "id=id createdById=createdBy projectId=project"},
		{"collisions and integers are left out", catalogTable(1, "lists", "id", "7", "project", "project_id", "Id"),
			"id=id projectId=project_id"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, _, err := Resolve([]capture.Table{c.table}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := fieldsOf(t, m, TodoList); got != c.want {
				t.Errorf("fields:\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestResolveKeepsOnlyWhatIsSent(t *testing.T) {
	users := catalogTable(1, "users", "pk", "id", "email", "password_hash", "deleted_at")
	m, _, err := Resolve([]capture.Table{users}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fieldsOf(t, m, User), "id=id email=email [deleted_at] [pk]"; got != want {
		t.Errorf("fields: %s, want %s", got, want)
	}
	tables, err := m.Tables()
	if err != nil {
		t.Fatal(err)
	}
	var copied []string
	for _, c := range tables[0].Columns {
		copied = append(copied, c.Name)
	}
	if want := []string{"pk", "id", "email", "deleted_at"}; !slices.Equal(copied, want) {
		t.Errorf("copied columns %v, want %v", copied, want)
	}
}

func TestResolveOverrides(t *testing.T) {
	catalog := []capture.Table{catalogTable(1, "aufgaben", "id", "titel", "secret_note", "title2"),
		catalogTable(2, "lists", "id"), catalogTable(3, "todo_lists", "id")}
	override := map[string]Override{
		"todo": {Table: "aufgaben", Enabled: true, Columns: map[string]string{"title": "titel"},
			Omit: []string{"secretNote"}},
		"todoList": {Enabled: false},
	}
	m, _, err := Resolve(catalog, override)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fieldsOf(t, m, Todo), "id=id title=titel title2=title2"; got != want {
		t.Errorf("fields: %s, want %s", got, want)
	}
	if m.Has(TodoList) {
		t.Error("a switched-off entity has a table")
	}
}

func TestResolveRefuses(t *testing.T) {
	lists := []capture.Table{catalogTable(1, "lists", "id"), catalogTable(2, "todo_lists", "id")}
	cases := []struct {
		name      string
		overrides map[string]Override
		want      string
	}{
		{"two candidates", nil, "entity todoList has two candidate tables, lists and todo_lists"},
		{"missing table", map[string]Override{"todoList": {Enabled: true, Table: "nope"}}, "there is no table nope"},
		{"missing column", map[string]Override{
			"todoList": {Enabled: true, Table: "lists", Columns: map[string]string{"title": "t"}}},
			"database.tables.todoList.columns.title: table lists has no column t"},
		{"one table for two", map[string]Override{
			"todoList": {Enabled: true, Table: "lists"}, "todo": {Enabled: true, Table: "lists"}},
			"table lists is taken for both todoList and todo"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := Resolve(lists, c.overrides)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestEventTable(t *testing.T) {
	types := EventTypes()
	if len(types) != 37 {
		t.Errorf("%d events, want Blue's 37", len(types))
	}
	all := append(types, ExtensionTypes()...)
	slices.Sort(all)
	if unique := slices.Compact(slices.Clone(all)); len(unique) != len(all) {
		t.Errorf("an event stands twice in %v", all)
	}
	for n, d := range definitions {
		if int(d.entity) != n+1 {
			t.Errorf("definition %d is of %s", n, d.entity)
		}
		for _, nested := range d.nested {
			if nested.many && indexOf(nested.entity, nested.via) == 0 {
				t.Errorf("%s.%s has no index", d.name, nested.name)
			}
		}
	}
	for _, r := range slices.Concat(rules, extensionRules) {
		if r.entity != r.on && indexOf(r.on, foreignKey[r.on]) == 0 {
			t.Errorf("%s on %s has no index", r.event, r.on)
		}
	}
}

// foreignKey is how the rows of a relation name their owner.
var foreignKey = map[Entity]string{TodoUser: "todoId", TodoTag: "todoId", TodoCustomField: "todoId",
	TodoCustomFieldOption: "todoCustomFieldId", ChecklistItemUser: "checklistItemId", CustomFieldOption: "customFieldId"}

func TestCompareNumbers(t *testing.T) {
	ordered := []string{"-1e300", "-2", "-1.5", "0", "0.1000000000000000000000000000001",
		"0.1000000000000000000000000000002", "10", "9007199254740992", "9007199254740993", "1e22", "NaN", "x"}
	for i := range ordered {
		for j := range ordered {
			got, want := compareNumbers(ordered[i], ordered[j]), i-j
			if got < 0 != (want < 0) || got > 0 != (want > 0) {
				t.Errorf("compareNumbers(%s, %s) = %d", ordered[i], ordered[j], got)
			}
		}
	}
}
