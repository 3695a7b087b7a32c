package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"bluetap/capture"
)

// Override changes how one entity's table is found and what of it is sent: the config's tables block.
type Override struct {
	Table   string            // the table's exact name; "" = recognised by name
	Columns map[string]string // field in payloads → the table's column
	Omit    []string          // fields left out of payloads, and of the mirror where no row is found by them
	Enabled bool              // false: as if the table did not exist
}

// TableError is an error of Resolve about one of the overrides, or the lack of one.
type TableError struct {
	Key    string // below the config's tables block, such as todo.columns.title
	Reason string // one line
}

// Error says where and what.
func (e *TableError) Error() string { return "database.tables." + e.Key + ": " + e.Reason }

// Model is Blue's model resolved against one database: which table is which entity and what is known of its columns.
type Model struct {
	tables [ProjectUser + 1]*table // by Entity; nil: the database has no such table, or it is switched off
}

// table is an entity's table as it was found.
type table struct {
	def      *definition
	source   capture.Table
	override Override
	keyIsID  bool // the mirror's key is what foreign keys hold: the id column alone, or there is no id column
}

// Resolve finds the table of every entity in the catalog. The overrides are by entity name. Warnings tell what is
// missing and therefore not sent. What only a person can decide, such as two candidates for an entity, is a
// *TableError.
func Resolve(catalog []capture.Table, overrides map[string]Override) (*Model, []string, error) {
	m := &Model{}
	var warnings []string
	for i := range definitions {
		def := &definitions[i]
		override, overridden := overrides[def.name]
		if overridden && !override.Enabled {
			continue
		}
		source, err := findTable(catalog, def, override)
		if err != nil {
			return nil, nil, err
		}
		if source == nil {
			warnings = append(warnings, fmt.Sprintf("no table for entity %s (looked for %s): its events are off",
				def.name, strings.Join(def.tables, ", ")))
			continue
		}
		t := &table{def: def, source: *source, override: override}
		if err := m.check(t); err != nil {
			return nil, nil, err
		}
		layout, err := t.layout(source.Columns)
		if err != nil {
			return nil, nil, err
		}
		id := layout.sourceOf("id")
		t.keyIsID = id == "" || len(layout.key) == 1 && id == source.Columns[layout.key[0]].Name
		warnings = append(append(warnings, layout.warnings...), t.leftOut()...)
		m.tables[def.entity] = t
	}
	return m, warnings, nil
}

// leftOut warns of generated columns that would be sent, of fields that are named for a table of which only the listed
// ones are sent, and of fields to be omitted that are none: perhaps a misspelt name, and what it was to hide is sent.
func (t *table) leftOut() []string {
	var warnings []string
	for _, g := range t.source.Generated {
		if name := t.fieldName(g); !t.omits(name) && (t.def.passThrough || slices.Contains(t.def.scalars, name)) {
			warnings = append(warnings, fmt.Sprintf("table %s: generated column %s is not in the replication stream "+
				"and is left out", t.source.Name, g))
		}
	}
	known := append(slices.Clone(t.def.scalars), deletedAt)
	for _, name := range slices.Sorted(maps.Keys(t.override.Columns)) {
		if !t.def.passThrough && !slices.Contains(known, name) {
			warnings = append(warnings, fmt.Sprintf("database.tables.%s.columns.%s: a %s has no such field",
				t.def.name, name, t.def.name))
		}
	}
	for _, c := range t.source.Columns {
		known = append(known, t.fieldName(c.Name))
	}
	for _, g := range t.source.Generated {
		known = append(known, t.fieldName(g))
	}
	for _, name := range t.override.Omit {
		if !slices.Contains(known, name) {
			warnings = append(warnings, fmt.Sprintf("database.tables.%s.omit: there is no field %s", t.def.name, name))
		}
	}
	return warnings
}

// check refuses an override that says what cannot be: a column that is not there, or a table that is another entity's.
func (m *Model) check(t *table) error {
	for _, name := range slices.Sorted(maps.Keys(t.override.Columns)) {
		column := t.override.Columns[name]
		if !slices.ContainsFunc(t.source.Columns, func(c capture.Column) bool { return c.Name == column }) {
			return &TableError{t.def.name + ".columns." + name,
				fmt.Sprintf("table %s has no column %s", t.source.Name, column)}
		}
	}
	columns := slices.Sorted(maps.Values(t.override.Columns))
	if n := len(columns); n != len(slices.Compact(columns)) {
		return &TableError{t.def.name + ".columns", "one column is named for two fields"}
	}
	for _, other := range m.tables {
		if other != nil && other.source.OID == t.source.OID {
			named := t
			if named.override.Table == "" {
				named = other
			}
			return &TableError{named.def.name + ".table", fmt.Sprintf("table %s is taken for both %s and %s: "+
				"name another, or the table of the other one too", t.source.Name, other.def.name, t.def.name)}
		}
	}
	return nil
}

func findTable(catalog []capture.Table, def *definition, override Override) (*capture.Table, error) {
	names := def.tables
	if override.Table != "" {
		names = []string{override.Table}
	}
	var found *capture.Table
	for i := range catalog {
		if !slices.Contains(names, catalog[i].Name) {
			continue
		}
		if found != nil {
			return nil, &TableError{def.name + ".table", fmt.Sprintf("entity %s has two candidate tables, %s and %s: "+
				"name one of them here", def.name, found.Name, catalog[i].Name)}
		}
		found = &catalog[i]
	}
	if found == nil && override.Table != "" {
		return nil, &TableError{def.name + ".table", fmt.Sprintf("there is no table %s in the schema", override.Table)}
	}
	return found, nil
}

// Tables returns the catalog's entries of all tables that are mapped, in entity order, each with only the columns
// that are mirrored: what is to be published, and copied by the first snapshot. A table that is not passed through is
// Closed.
func (m *Model) Tables() ([]capture.Table, error) {
	var tables []capture.Table
	for _, t := range m.tables {
		if t == nil {
			continue
		}
		layout, err := t.layout(t.source.Columns)
		if err != nil {
			return nil, err
		}
		trimmed := t.source
		trimmed.Columns = nil
		for _, c := range t.source.Columns {
			if layout.mirrors(c.Name) {
				trimmed.Columns = append(trimmed.Columns, c)
			}
		}
		trimmed.Closed = !t.def.passThrough
		trimmed.Partial = len(trimmed.Columns) < len(t.source.Columns) || trimmed.Closed && len(t.source.Generated) > 0
		tables = append(tables, trimmed)
	}
	return tables, nil
}

// Found is an entity's table as it was found.
type Found struct {
	Entity  string // as in the config's tables block: todoList
	Table   capture.Table
	LeftOut []string // its columns that are not mirrored; of those that get into no stream the table tells
}

// Found returns every table that is mapped, in entity order.
func (m *Model) Found() ([]Found, error) {
	tables, err := m.Tables()
	if err != nil {
		return nil, err
	}
	var found []Found
	for _, t := range m.tables {
		if t == nil {
			continue
		}
		f := Found{Entity: t.def.name, Table: tables[len(found)]}
		for _, c := range t.source.Columns {
			if !slices.Contains(f.Table.Columns, c) {
				f.LeftOut = append(f.LeftOut, c.Name)
			}
		}
		found = append(found, f)
	}
	return found, nil
}

// Wanted tells, by column of a relation of the stream, which values are mirrored: none of a relation that is no table
// of Blue's.
func (m *Model) Wanted(r *capture.Relation) []bool {
	wanted := make([]bool, len(r.Columns))
	t := m.ofRelation(r)
	if t == nil {
		return wanted
	}
	l, err := t.layout(r.Columns)
	if err != nil {
		return wanted // its first change stops the pipeline, which says why
	}
	for _, column := range l.columns {
		wanted[column] = true
	}
	return wanted
}

// Keys returns the columns of each table's mirror key, by entity name.
func (m *Model) Keys() map[string][]string {
	keys := map[string][]string{}
	for _, t := range m.tables {
		if t != nil {
			keys[t.def.name] = t.source.Key
		}
	}
	return keys
}

// KeyContinues tells whether the key that the mirror has of an entity's table is still its key: the same columns, or as
// many others where those of before are gone, which is what a rename looks like.
func (m *Model) KeyContinues(entity string, known []string) bool {
	for _, t := range m.tables {
		if t == nil || t.def.name != entity {
			continue
		}
		if len(known) != len(t.source.Key) {
			return false
		}
		return !slices.ContainsFunc(known, func(name string) bool {
			return !slices.Contains(t.source.Key, name) &&
				slices.ContainsFunc(t.source.Columns, func(c capture.Column) bool { return c.Name == name })
		})
	}
	return true
}

// ofRelation returns the table that the relation is, or nil if it is none of Blue's. A renamed table keeps its OID, a
// table that was dropped and created again its name.
func (m *Model) ofRelation(r *capture.Relation) *table {
	var byName *table
	for _, t := range m.tables {
		switch {
		case t == nil:
		case t.source.OID == r.OID:
			return t
		case t.source.Schema == r.Schema && t.source.Name == r.Name:
			byName = t
		}
	}
	return byName
}

// Table returns the entity's table, with the columns that are mirrored; false if the database has none.
func (m *Model) Table(e Entity) (capture.Table, bool) {
	found, err := m.Found()
	i := slices.IndexFunc(found, func(f Found) bool { return f.Entity == e.String() })
	if err != nil || i < 0 {
		return capture.Table{}, false
	}
	return found[i].Table, true
}

// Has tells whether the database has the entity's table.
func (m *Model) Has(e Entity) bool { return m.tables[e] != nil }
