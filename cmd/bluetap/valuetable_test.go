package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A kind is how a value's expectation is had: what Postgres is asked, with ? for the value, and by which name
// testdata/values.js knows what is to be made of the answer.
type kind struct{ node, source string }

var (
	asText    = kind{"text", `format('%s', ?)`}
	asBool    = kind{"bool", `(?)::text`}
	asInteger = kind{"integer", `(?)::text`}
	asFloat   = kind{"float", `(?)::text`}
	asNumeric = kind{"text", `trim_scale(?)::text`}
	// The whole seconds and the rest apart: of far years extract(epoch) is rounded, so that .519999 became .520.
	asInstant = kind{"instant", `round(extract(epoch FROM date_trunc('second', ?))::numeric
		+ coalesce(extract(microseconds FROM ?)::bigint % 1000000, 0) / 1000000.0, 6)::text`}
	asBytes = kind{"text", `translate(encode(?, 'base64'), E'\n', '')`}
	asJSON  = kind{"json", `(?)::text`}
)

// arrayOf is the kind of arrays of k. The elements are asked for in a row, apart from the dimensions.
func arrayOf(k kind) kind {
	return kind{"array " + k.node, `json_build_object('d', ARRAY(SELECT array_length(?, i)
		FROM generate_series(1, array_ndims(?)) i), 'e', ARRAY(SELECT ` + k.sql("e") +
		` FROM (SELECT unnest(?) AS e) u))::text`}
}

// sql is the question for expression. IS DISTINCT FROM holds for a composite value of NULLs too.
func (k kind) sql(expression string) string {
	return "CASE WHEN " + expression + " IS DISTINCT FROM NULL THEN " +
		strings.ReplaceAll(k.source, "?", expression) + " END"
}

// column is one column that a table is given.
type column struct {
	name, sqlType string
	kind          kind
	random        func(r *rand.Rand) string // in Postgres' input syntax
	field         string                    // in payloads; "-" for one that is left out
	needs         string                    // SQL without which there is no such type, e.g. an extension's
}

// valueTable is a table whose rows are sent, and what is added to it.
type valueTable struct {
	name                 string
	share                int // of each hundred rows
	parentColumn, parent string
	title                column // changes with every update
	created, changed     string // the events
	keys                 []string
	columns              []column // after the keys
	nested               []string
	id                   func(n int) string // what follows rowID; nil: nothing
}

// suffix is what follows rowID in the id of the n-th row.
func (v *valueTable) suffix(n int) string {
	if v.id == nil {
		return ""
	}
	return v.id(n)
}

const valueTypes = `
CREATE TYPE mood AS ENUM ('ok', 'so so', 'b"a\d', 'NULL', 'é,😀', '');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN price AS numeric(9,2);
CREATE DOMAIN ints AS int[];
CREATE DOMAIN stamps AS timestamptz[];
CREATE DOMAIN document AS jsonb;
CREATE DOMAIN boxlist AS box[];
CREATE TYPE shape;
CREATE FUNCTION shape_in(cstring) RETURNS shape LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION shape_out(shape) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE shape (INPUT = shape_in, OUTPUT = shape_out, LIKE = text, DELIMITER = ':');
`

// tagTable is the table of tags with further columns.
func tagTable(share int, columns []column) valueTable {
	return valueTable{name: "tags", share: share, parentColumn: "project_id", parent: "web",
		title: column{name: "title", kind: asText, random: anyText}, created: "TAG_CREATED", changed: "TAG_UPDATED",
		keys:    []string{"id", "uid", "title", "color", "createdAt", "updatedAt", "projectId"},
		columns: columns, nested: []string{"project"}}
}

// everyValue is the columns of every kind, over several tables so that bodies stay small.
func everyValue() []valueTable {
	text := func(name string) column { return column{name: name, kind: asText, random: anyText} }
	return []valueTable{
		tagTable(40, scalarColumns()),
		{name: "custom_fields", share: 20, parentColumn: "project_id", parent: "web", title: text("name"),
			created: "CUSTOM_FIELD_CREATED", changed: "CUSTOM_FIELD_UPDATED",
			keys: []string{"id", "uid", "name", "type", "position", "description", "createdAt", "updatedAt", "projectId",
				"min", "max", "currency", "prefix", "isDueDate", "formula"},
			columns: documentColumns(), nested: []string{"customFieldOptions", "project"}},
		{name: "todo_lists", share: 20, parentColumn: "project_id", parent: "web", title: text("title"),
			created: "TODO_LIST_CREATED", changed: "TODO_LIST_NAME_CHANGED",
			keys:    []string{"id", "uid", "createdAt", "updatedAt", "title", "position", "createdById", "projectId"},
			columns: arrayColumns(), nested: []string{"project"}},
		{name: "todos", share: 20, parentColumn: "todo_list_id", parent: "backlog", title: text("title"),
			created: "TODO_CREATED", changed: "TODO_NAME_CHANGED",
			keys: []string{"id", "uid", "title", "html", "text", "position", "archived", "done", "startedAt", "duedAt",
				"timezone", "createdAt", "updatedAt", "createdById", "todoListId"},
			columns: append(oddColumns(), rareColumns()...),
			nested:  []string{"todoCustomFields", "todoUsers", "todoTags", "todoList"}},
	}
}

func scalarColumns() []column {
	return []column{
		{name: "b", sqlType: "bool", kind: asBool, random: oneOf("t", "f")},
		{name: "i2", sqlType: "int2", kind: asInteger, random: integers(16)},
		{name: "i4", sqlType: "int4", kind: asInteger, random: integers(32)},
		{name: "i8", sqlType: "int8", kind: asInteger, random: integers(64)},
		{name: "f4", sqlType: "float4", kind: asFloat, random: floats(32)},
		{name: "f8", sqlType: "float8", kind: asFloat, random: floats(64)},
		{name: "n", sqlType: "numeric", kind: asNumeric, random: numerics},
		{name: "n2", sqlType: "numeric(12,4)", kind: asNumeric, random: smallNumerics},
		{name: "n3", sqlType: "price", kind: asNumeric, random: smallNumerics},
		{name: "m", sqlType: "money", kind: asText, random: smallNumerics},
		{name: "c5", sqlType: "char(5)", kind: asText, random: shortText(5)},
		{name: "vc", sqlType: "varchar(40)", kind: asText, random: shortText(40)},
		{name: "tx", sqlType: "text", kind: asText, random: anyText},
		{name: "u", sqlType: "uuid", kind: asText, random: uuids},
		{name: "en", sqlType: "mood", kind: asText, random: moods},
		{name: "ci", sqlType: "citext", kind: asText, random: anyText, needs: "CREATE EXTENSION citext"},
		{name: "by", sqlType: "bytea", kind: asBytes, random: byteas},
		{name: "d", sqlType: "date", kind: asText, random: dates},
		{name: "t", sqlType: "time", kind: asText, random: clocks},
		{name: "tz", sqlType: "timetz", kind: asText, random: zonedClocks},
		{name: "iv", sqlType: "interval", kind: asText, random: intervals},
		{name: "ts", sqlType: "timestamp", kind: asInstant, random: stamps},
		{name: "ts3", sqlType: "timestamp(3)", kind: asInstant, random: stamps},
		{name: "tstz", sqlType: "timestamptz", kind: asInstant, random: stamps},
		{name: "o", sqlType: "oid", kind: asText, random: oneOf("0", "1", "4294967295", "2147483648")},
		{name: "c1", sqlType: `"char"`, kind: asText, random: oneOf("", "a", `"`, `\`, "\x01")},
		{name: "nm", sqlType: "name", kind: asText, random: shortText(15)},
		{name: "x", sqlType: "xml", kind: asText, needs: "SELECT '<a/>'::xml",
			random: oneOf("<a>é&lt;\"</a>", "a &amp; b", `<?xml version="1.0" encoding="UTF-8"?><r/>`, "<r>\n😀</r>")},
	}
}

func documentColumns() []column {
	return []column{
		{name: "j", sqlType: "json", kind: asJSON, random: documents(true)},
		{name: "jb", sqlType: "jsonb", kind: asJSON, random: documents(false)},
		{name: "jd", sqlType: "document", kind: asJSON, random: documents(false)},
		{name: "js", sqlType: "json[]", kind: arrayOf(asJSON), random: arrays(',', documents(true))},
		{name: "jbs", sqlType: "jsonb[]", kind: arrayOf(asJSON), random: arrays(',', documents(false))},
		{name: "jds", sqlType: "document[]", kind: arrayOf(asJSON), random: arrays(',', documents(false))},
		{name: "bys", sqlType: "bytea[]", kind: arrayOf(asBytes), random: arrays(',', byteas)},
		{name: "hs", sqlType: "hstore", kind: asText, needs: "CREATE EXTENSION hstore",
			random: oneOf("", `"a"=>"1", "7"=>NULL`, `"é\"\\"=>"😀"`)},
		{name: "tv", sqlType: "tsvector", kind: asText, random: oneOf("", "a:1 fat:2A 'c''t':3", `'\\x' é`)},
		{name: "jp", sqlType: "jsonpath", kind: asText, random: oneOf(`$.a[*]?(@ > 1)`, `$."é\"x"`)},
	}
}

func arrayColumns() []column {
	return []column{
		{name: "bs", sqlType: "bool[]", kind: arrayOf(asBool), random: arrays(',', oneOf("t", "f"))},
		{name: "i4s", sqlType: "int4[]", kind: arrayOf(asInteger), random: arrays(',', integers(32))},
		{name: "i8s", sqlType: "int8[]", kind: arrayOf(asInteger), random: arrays(',', integers(64))},
		{name: "f4s", sqlType: "float4[]", kind: arrayOf(asFloat), random: arrays(',', floats(32))},
		{name: "f8s", sqlType: "float8[]", kind: arrayOf(asFloat), random: arrays(',', floats(64))},
		{name: "ns", sqlType: "numeric[]", kind: arrayOf(asNumeric), random: arrays(',', smallNumerics)},
		{name: "txs", sqlType: "text[]", kind: arrayOf(asText), random: arrays(',', anyText)},
		{name: "c5s", sqlType: "char(5)[]", kind: arrayOf(asText), random: arrays(',', shortText(5))},
		{name: "ms", sqlType: "money[]", kind: arrayOf(asText), random: arrays(',', smallNumerics)},
		{name: "ens", sqlType: "mood[]", kind: arrayOf(asText), random: arrays(',', moods)},
		{name: "ds", sqlType: "date[]", kind: arrayOf(asText), random: arrays(',', dates)},
		{name: "ivs", sqlType: "interval[]", kind: arrayOf(asText), random: arrays(',', intervals)},
		{name: "tss", sqlType: "timestamp[]", kind: arrayOf(asInstant), random: arrays(',', stamps)},
		{name: "tstzs", sqlType: "timestamptz[]", kind: arrayOf(asInstant), random: arrays(',', stamps)},
		{name: "us", sqlType: "uuid[]", kind: arrayOf(asText), random: arrays(',', uuids)},
		{name: "bxs", sqlType: "box[]", kind: arrayOf(asText), random: arrays(';', boxes)},
		{name: "rs", sqlType: "int4range[]", kind: arrayOf(asText), random: arrays(',', oneOf("[1,5)", "empty", "(,)"))},
		{name: "ps", sqlType: "pair[]", kind: arrayOf(asText), random: arrays(',', pairs)},
		{name: "prices", sqlType: "price[]", kind: arrayOf(asNumeric), random: arrays(',', smallNumerics)},
		{name: "di", sqlType: "ints", kind: arrayOf(asInteger), random: arrays(',', integers(32))},
		{name: "dt", sqlType: "stamps[]", kind: arrayOf(arrayOf(asInstant)), random: arrays(',', arrays(',', stamps))},
		{name: "db", sqlType: "boxlist[]", kind: arrayOf(arrayOf(asText)), random: arrays(';', arrays(';', boxes))},
		{name: "shs", sqlType: "shape[]", kind: arrayOf(asText), random: arrays(':', anyText)},
		{name: "v2s", sqlType: "int2vector[]", kind: arrayOf(asText), random: arrays(',', oneOf("", "1", "1 -2 3"))},
	}
}

// oddColumns have names that JavaScript, JSON or the payload could take amiss.
func oddColumns() []column {
	names := []struct{ column, field string }{
		{"todoUsers", "-"}, {"todo_list", "-"}, {"7", "-"}, {"007", "007"}, {"-1", "-1"}, {"1e3", "1e3"}, {"___", "-"},
		{"__proto__", "proto"}, {"weird", "__proto__"}, {"toJSON", "toJSON"}, {"constructor", "constructor"},
		{"UPPER", "uPPER"}, {"two words", "two words"}, {`q"uo\te`, `q"uo\te`}, {"tab\tnl\n", "tab\tnl\n"},
		{"ünï_cödé", "ünïCödé"}, {"😀_x", "😀X"}, {"line\u2028sep", "line\u2028sep"}, {"foo_bar", "fooBar"},
		{"fooBar", "-"}, {"_id", "-"}, {"TITLE", "tITLE"}, {"length", "length"}, {"4294967294", "-"}, {"event", "event"},
	}
	var columns []column
	for i, n := range names {
		c := column{name: n.column, field: n.field, sqlType: "text", kind: asText, random: shortText(8)}
		if i%2 == 0 {
			c.sqlType, c.kind, c.random = "int8", asInteger, integers(64)
		}
		columns = append(columns, c)
	}
	return columns
}

func rareColumns() []column {
	rare := func(name, sqlType string, from ...string) column {
		return column{name: name, sqlType: sqlType, kind: asText, random: oneOf(from...)}
	}
	return []column{
		{name: "comp", sqlType: "pair", kind: asText, random: pairs},
		rare("r", "int8range", "[1,5)", "empty", "(,9007199254740993]"),
		rare("tsr", "tstzrange", "[2022-12-01 01:02:03.5+02,infinity)", "empty", "[\"0044-03-15 12:00 BC\",)"),
		rare("mr", "nummultirange", "{}", "{[1.50,2),(3,)}"),
		rare("ip", "inet", "127.0.0.1", "10.1.2.3/8", "::1", "2001:db8::/32"),
		rare("net", "cidr", "10.0.0.0/8", "2001:db8::/32"),
		rare("mac", "macaddr", "08:00:2b:01:02:03"),
		rare("bt", "bit(9)", "101010101", "000000000"),
		rare("vb", "varbit", "", "1", "0110"),
		rare("pt", "point", "(1,-0)", "(NaN,Infinity)", "(0.1,1e300)"),
		{name: "bx", sqlType: "box", kind: asText, random: boxes},
		rare("pg", "polygon", "((0,0),(1,1.5),(2,0))"),
		rare("v2", "int2vector", "", "1", "1 -2 3"),
		rare("rc", "regclass", "pg_class", "-"),
		rare("lsn", "pg_lsn", "0/0", "FFFFFFFF/FFFFFFFF"),
	}
}

// quoted is an identifier.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// alter is the SQL that gives the table its columns, and one that is generated and cannot be had.
func (v *valueTable) alter() string {
	var b strings.Builder
	for _, c := range v.columns {
		fmt.Fprintf(&b, "ALTER TABLE %s ADD %s %s;\n", v.name, quoted(c.name), c.sqlType)
	}
	fmt.Fprintf(&b, "ALTER TABLE %s ADD gen text GENERATED ALWAYS AS (%s || 'x') STORED;\n", v.name, v.title.name)
	return b.String()
}

// sent are the columns that are sent.
func (v *valueTable) sent() []column {
	return slices.DeleteFunc(slices.Clone(v.columns), func(c column) bool { return c.field == "-" })
}

// sentAs is the column's name in payloads.
func (c column) sentAs() string { return cmp.Or(c.field, c.name) }
