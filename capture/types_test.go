//go:build unix

package capture

import (
	"testing"

	"bluetap/internal/pgtest"
)

// TestArrayTypes holds what is said of arrays: through domains, of domains over arrays, and of types whose arrays are
// separated by something else, as PostGIS' are.
func TestArrayTypes(t *testing.T) {
	s := pgtest.Start(t)
	s.Exec(t, "postgres", `
		CREATE TYPE shape;
		CREATE FUNCTION shape_in(cstring) RETURNS shape LANGUAGE internal IMMUTABLE STRICT AS 'textin';
		CREATE FUNCTION shape_out(shape) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
		CREATE TYPE shape (INPUT = shape_in, OUTPUT = shape_out, LIKE = text, DELIMITER = ':');
		CREATE DOMAIN ints AS int[]; CREATE DOMAIN intses AS ints[]; CREATE DOMAIN boxes AS box[];
		CREATE TABLE v (id int PRIMARY KEY, a ints, b ints[], c intses[], d boxes[], e shape[], f shape, g box);`)
	cfg, _ := newConfig(t, s.URL("postgres"))
	tables, err := Tables(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	want := []Type{{}, {Elem: 23}, {Elem: 23, Inner: 1}, {Elem: 23, Inner: 2}, {Elem: 603, Inner: 1, Delimiter: ';'},
		{Delimiter: ':'}, {}, {}}
	want[5].Elem = tables[0].Columns[6].Type.OID
	for i, c := range tables[0].Columns {
		got := c.Type
		if got.OID = 0; got != want[i] {
			t.Errorf("%s: %+v, want %+v", c.Name, got, want[i])
		}
	}
}
