package mapping

import (
	"iter"
	"strings"
	"testing"
	"time"

	"bluetap/capture"
	"bluetap/internal/store"
)

// worldTables are the columns that a world's tables have; the first is the key.
var worldTables = [][]string{
	{"companies", "id", "name"},
	{"projects", "id", "company_id"},
	{"todo_lists", "id", "title", "project_id"},
	{"todos", "id", "title", "todo_list_id"},
	{"comments", "id", "text", "todo_id", "discussion_id"},
	{"checklists", "id", "title", "todo_id"},
	{"checklist_items", "id", "title", "checklist_id"},
	{"checklist_item_users", "id", "checklist_item_id", "user_id"},
	{"tags", "id", "title", "project_id"},
	{"custom_fields", "id", "name", "project_id"},
	{"custom_field_options", "id", "title", "custom_field_id"},
	{"todo_users", "id", "todo_id", "user_id"},
	{"todo_tags", "id", "todo_id", "tag_id"},
	{"todo_custom_fields", "id", "number", "todo_id", "custom_field_id"},
	{"todo_custom_field_options", "id", "todo_custom_field_id", "custom_field_option_id"},
}

// world is a mapper over a real store, to which transactions are applied as the daemon does it.
type world struct {
	t         testing.TB
	store     *store.Store
	mapper    *Mapper
	model     *Model
	relations map[string]*capture.Relation
	end       uint64
	failed    []Position // of expressions
	counts    bool       // whether to count reads
	reads     int        // rows that were read to map transactions
}

// counted counts what is read from a view.
type counted struct {
	Changed
	reads *int
}

func (c counted) Row(table uint8, key string) ([]byte, error) {
	*c.reads++
	return c.Changed.Row(table, key)
}

func (c counted) Children(index uint8, parent string) iter.Seq2[store.Child, error] {
	return func(yield func(store.Child, error) bool) {
		for child, err := range c.Changed.Children(index, parent) {
			*c.reads++
			if !yield(child, err) {
				return
			}
		}
	}
}

// base is a state in which nothing was touched.
type base struct{ View }

func (base) Touches(uint8) bool { return false }

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOf(t, worldTables, nil)
}

// columnTypes are the types that a column of a world's table may name, as in done:bool; the others are text.
var columnTypes = map[string]uint32{"bool": 16, "int": 23, "float": 701, "numeric": 1700, "time": 1184, "json": 3802}

func newWorldOf(t testing.TB, tables [][]string, overrides map[string]Override) *world {
	t.Helper()
	w := &world{t: t, relations: map[string]*capture.Relation{}}
	var catalog []capture.Table
	for n, columns := range tables {
		table := catalogTable(uint32(n+1), columns[0], columns[1:]...)
		for i := range table.Columns {
			name, of, _ := strings.Cut(table.Columns[i].Name, ":")
			table.Columns[i].Name = name
			if of != "" {
				table.Columns[i].Type.OID = columnTypes[of]
			}
		}
		catalog = append(catalog, table)
		w.relations[table.Name] = &capture.Relation{OID: table.OID, Schema: table.Schema, Name: table.Name,
			Columns: table.Columns}
	}
	model, _, err := Resolve(catalog, overrides)
	if err != nil {
		t.Fatal(err)
	}
	if w.store, err = store.Open(t.TempDir(), store.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	shapes, err := LoadShapes(model, nil, w.store.SaveShape)
	if err != nil {
		t.Fatal(err)
	}
	w.mapper, w.model = NewMapper(model, shapes), model
	return w
}

// change reads one row operation: + inserts, ~ updates, - deletes, as in "+tags id=g title=bug". A column that is not
// named is null; a value's _ is a space.
func (w *world) change(text string) capture.Change {
	w.t.Helper()
	words := strings.Fields(text[1:])
	relation := w.relations[words[0]]
	values := make([]capture.Value, len(relation.Columns))
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		found := false
		for i, c := range relation.Columns {
			if c.Name == name {
				values[i], found = capture.Value{State: capture.Text, Text: []byte(strings.ReplaceAll(value, "_", " "))}, true
			}
		}
		if !found {
			w.t.Fatalf("table %s has no column %s", words[0], name)
		}
	}
	switch text[0] {
	case '+':
		return capture.Change{Op: capture.Insert, Relation: relation, New: values}
	case '~':
		return capture.Change{Op: capture.Update, Relation: relation, New: values}
	default:
		return capture.Change{Op: capture.Delete, Relation: relation, Old: values}
	}
}

// changes yields the operations as a transaction does.
func (w *world) changes(texts iter.Seq[string]) iter.Seq2[capture.Change, error] {
	return func(yield func(capture.Change, error) bool) {
		for text := range texts {
			if !yield(w.change(text), nil) {
				return
			}
		}
	}
}

// events yields the events of a transaction.
func (w *world) events(after *store.Overlay) iter.Seq2[*Event, error] {
	mapped := func(Entity) error { return nil }
	if !w.counts {
		return w.mapper.Map(after.Before(), after, after.Changes(), mapped)
	}
	before := counted{base{after.Before()}, &w.reads}
	return w.mapper.Map(before, counted{after, &w.reads}, after.Changes(), mapped)
}

// apply commits a transaction and shows each of its events while it is good.
func (w *world) apply(texts iter.Seq[string], show func(e *Event)) {
	w.t.Helper()
	w.end++
	after := w.store.NewOverlay(256 << 20)
	if err := w.mapper.Net(after, w.changes(texts), func(int) error { return nil }); err != nil {
		w.t.Fatal(err)
	}
	batch, err := w.store.Begin(after, w.end, time.Unix(0, 0))
	if err != nil {
		w.t.Fatal(err)
	}
	for e, err := range w.events(after) {
		if err != nil {
			w.t.Fatal(err)
		}
		show(e)
	}
	if err := batch.Commit(); err != nil {
		w.t.Fatal(err)
	}
	for table, n := range w.mapper.Divergences {
		w.t.Errorf("%d divergences in table %s", n, table)
	}
}

// lines yields the lines of a text that say something.
func lines(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" && !yield(line) {
				return
			}
		}
	}
}
