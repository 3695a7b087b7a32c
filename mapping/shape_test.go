package mapping

import (
	"testing"

	"bluetap/capture"
	"bluetap/internal/store"
)

// TestShapesOfUnknownEncoding reads a row again after a restart whose columns have names that are no UTF-8: each has
// its own value still, and where two would be sent under one name only the first is.
func TestShapesOfUnknownEncoding(t *testing.T) {
	table := catalogTable(1, "tags", "id", "na\xefve", "na\xf6ve", "other", "x\xff")
	model, warnings, err := Resolve([]capture.Table{table}, nil)
	if err != nil {
		t.Fatal(err)
	}
	const want = "id=id na\uFFFDve=na\xefve other=other x\uFFFD=x\xff"
	if got := fieldsOf(t, model, Tag); got != want {
		t.Errorf("fields %q, want %q, with warnings %q", got, want, warnings)
	}
	layout, err := model.tables[Tag].layout(table.Columns)
	if err != nil {
		t.Fatal(err)
	}
	// Both of the table's colliding columns are mirrored in a shape of an older configuration.
	layout.add("old", table.Columns, 2, true)
	records := map[uint32][]byte{}
	load := func() *Shapes {
		shapes, err := LoadShapes(model, records, func(number uint32, record []byte) error {
			records[number] = record
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return shapes
	}
	written, err := load().of(Tag, layout)
	if err != nil {
		t.Fatal(err)
	}
	cells := make([]cell, len(written.fields))
	for i := range cells {
		cells[i] = cell{kind: cellText, text: []byte(written.fields[i].Source)}
	}
	row := store.Row{Value: encodeRow(written, cells)}
	after := load()
	same, err := after.of(Tag, layout)
	if err != nil || len(records) != 1 {
		t.Fatalf("%v: %d shapes of one layout", err, len(records))
	}
	r, err := after.decode("k", row.Value)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range layout.fields {
		if got := string(r.ofColumn(f, same).text); got != f.Source {
			t.Errorf("column %q has %q after a restart", f.Source, got)
		}
	}
}
