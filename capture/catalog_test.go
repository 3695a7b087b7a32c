//go:build unix

package capture

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"bluetap/internal/hint"
	"bluetap/internal/pgtest"
)

const oddTables = `
CREATE DOMAIN word AS varchar(9);
CREATE TABLE "Odd ""one" (a text, "B b" word NOT NULL, c word[], v int2vector, id int,
  g int GENERATED ALWAYS AS (id + 1) STORED, PRIMARY KEY (id, a) INCLUDE (c));
CREATE TABLE nokey (a int);
CREATE TABLE fullkey (a int PRIMARY KEY); ALTER TABLE fullkey REPLICA IDENTITY FULL;
CREATE TABLE fullnokey (a int); ALTER TABLE fullnokey REPLICA IDENTITY FULL;
CREATE TABLE nothing (a int PRIMARY KEY); ALTER TABLE nothing REPLICA IDENTITY NOTHING;
CREATE TABLE late (a int PRIMARY KEY DEFERRABLE);
CREATE TABLE byindex (a int, b text NOT NULL UNIQUE); ALTER TABLE byindex REPLICA IDENTITY USING INDEX byindex_b_key;
CREATE UNLOGGED TABLE unlogged (a int PRIMARY KEY);
CREATE TABLE gen (a int, g int GENERATED ALWAYS AS (a) STORED PRIMARY KEY);
CREATE TABLE part (a int PRIMARY KEY) PARTITION BY LIST (a);
CREATE TABLE part1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE odd (a int PRIMARY KEY) PARTITION BY LIST (a);
CREATE TABLE odd1 PARTITION OF odd FOR VALUES IN (1); ALTER TABLE odd1 REPLICA IDENTITY NOTHING;
CREATE TABLE parent (a int PRIMARY KEY);
CREATE TABLE child (PRIMARY KEY (a)) INHERITS (parent);
CREATE VIEW v AS SELECT 1;
ALTER TABLE byindex DROP a;
`

// oddWanted is key, identity, partitioned, columns, and a part of why not.
var oddWanted = map[string]string{
	`Odd "one`: "[id a] d false a B b c v id -",
	"nokey":    "[] d false a ADD PRIMARY KEY", "fullkey": "[a] f false a -", "fullnokey": "[] f false a ADD PRIMARY KEY",
	"nothing": "[a] n false a REPLICA IDENTITY DEFAULT",
	"late":    "[] d false a DROP CONSTRAINT late_pkey, ADD PRIMARY KEY (a)",
	"byindex": "[b] i false b -", "unlogged": "[a] d false a SET LOGGED", "gen": "[g] d false a USING INDEX",
	"part": "[a] d true a -", "odd": "[a] d true a partitions", "parent": "[a] d false a -", "child": "[a] d false a -",
}

// TestTables reads tables of every kind, and says which would hurt the application if they were published.
func TestTables(t *testing.T) {
	s := pgtest.Start(t)
	s.Exec(t, "postgres", oddTables)
	cfg, _ := newConfig(t, s.URL("postgres"))
	tables, err := Tables(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	want := maps.Clone(oddWanted)
	for i := range tables {
		table := &tables[i]
		key := table.Key
		if table.Name == "nothing" {
			key = []string{"a"}
		}
		got := fmt.Sprintf("%v %c %t", key, table.Identity, table.Partitioned)
		for _, c := range table.Columns {
			got += " " + c.Name
		}
		why := strings.TrimPrefix(want[table.Name], got+" ")
		if why == want[table.Name] || !strings.Contains(table.Unpublishable+": "+table.Mend, strings.TrimPrefix(why, "-")) ||
			why == "-" && table.Unpublishable != "" {
			t.Errorf("%s: %s %q, want %s", table.Name, got, table.Unpublishable+": "+table.Mend, want[table.Name])
		}
		delete(want, table.Name)
	}
	if len(want) > 0 {
		t.Errorf("not found: %v", want)
	}
	odd := tables[0]
	text, arr := odd.Columns[1].Type, odd.Columns[2].Type
	if text.OID != 1043 || text.Elem != 0 || arr.Elem != 1043 || odd.Columns[3].Type.Elem != 0 {
		t.Errorf("types: %+v", odd.Columns)
	}
	if len(odd.Generated) != 1 || !odd.Columns[0].Key || odd.Columns[1].Key || odd.Columns[2].Key {
		t.Errorf("generated %v, columns %+v", odd.Generated, odd.Columns)
	}
}

// TestFullWithGeneratedColumn has what only servers from 18 on refuse, whichever server runs here: a table whose old
// rows would be logged with a column that is not published.
func TestFullWithGeneratedColumn(t *testing.T) {
	table := Table{Name: "f", Identity: IdentityFull, Key: []string{"id"}, Generated: []string{"g"}}
	for major, refused := range map[int]bool{17: false, 18: true, 19: true} {
		why, mend := table.whyNot(false, 0, major, "")
		if (why != "") != refused || refused && !strings.HasSuffix(mend, "REPLICA IDENTITY DEFAULT") {
			t.Errorf("version %d: %q, mend %q", major, why, mend)
		}
	}
	table.Generated = nil
	if why, _ := table.whyNot(false, 0, 18, ""); why != "" {
		t.Errorf("without a generated column: %q", why)
	}
}

// spoiledPublications spoil the publication in turn; the first leaves it to be made.
var spoiledPublications = []struct{ sql, reason string }{
	{"", ""},
	{`ALTER PUBLICATION "Tap it" DROP TABLE a, p`, `it lacks ONLY "public"."a", "public"."p"`},
	{`ALTER PUBLICATION "Tap it" SET (publish = 'insert')`, "operations"},
	{`ALTER PUBLICATION "Tap it" SET (publish_via_partition_root = false)`, "partition root"},
	{`ALTER PUBLICATION "Tap it" DROP TABLE a; ALTER PUBLICATION "Tap it" ADD TABLE a WHERE (id > 1)`, "row filter"},
	{`ALTER PUBLICATION "Tap it" DROP TABLE a; ALTER PUBLICATION "Tap it" ADD TABLE a (id, t)`, "column list of table"},
}

// TestPublication makes a publication, and mends others with the SQL of the hint.
func TestPublication(t *testing.T) {
	s := pgtest.Start(t)
	s.Exec(t, "postgres", schema+"CREATE ROLE tap LOGIN REPLICATION PASSWORD 'x'; "+
		"CREATE TABLE parent (a int PRIMARY KEY); CREATE TABLE child (PRIMARY KEY (a)) INHERITS (parent)")
	cfg, _ := newConfig(t, s.URL("postgres"))
	tables, err := Tables(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ensure := func() error { return EnsurePublication(t.Context(), cfg, tables) }
	mine := cfg
	mine.URL = s.URLFor("tap", "x", "postgres")
	err = EnsurePublication(t.Context(), mine, tables)
	if sqlState(err) != stateInsufficientRights || hint.Of(err) != PublicationSQL(cfg, tables, true) {
		t.Errorf("without the right: %v, hint %q", err, hint.Of(err))
	}
	for _, c := range spoiledPublications {
		if c.sql != "" {
			s.Exec(t, "postgres", c.sql)
			err := ensure()
			var pub *PublicationError
			if !errors.As(err, &pub) || !strings.Contains(pub.Reason, c.reason) {
				t.Fatalf("after %s: %v", c.sql, err)
			}
			s.Exec(t, "postgres", hint.Of(err))
		}
		if err := ensure(); err != nil {
			t.Errorf("after %q and its mend: %v", c.sql, err)
		}
	}
	tables[0].Unpublishable, tables[0].Mend = "it is ill", "heal it"
	if err := ensure(); err == nil || !strings.Contains(err.Error(), `"a": it is ill`) {
		t.Errorf("unpublishable table: %v", err)
	}
}

// TestValuesOfSession holds that a value looks the same in the snapshot and in the stream, whatever the database says.
func TestValuesOfSession(t *testing.T) {
	const values = `(1, '2022-12-01 07:01:25.014+02', 'P1Y2M3DT4H', 0.1::float4 + 0.2::float4, '\x00ff', 12.5,
		'2022-02-01')`
	s := newSource(t, `CREATE TABLE v (id int PRIMARY KEY, a timestamptz, i interval, f float8, b bytea, m money, d date);
		INSERT INTO v VALUES `+values+`;
		ALTER DATABASE postgres SET TimeZone = 'Asia/Tokyo'; ALTER DATABASE postgres SET DateStyle = 'German';
		ALTER DATABASE postgres SET IntervalStyle = 'postgres_verbose'; ALTER DATABASE postgres SET bytea_output = 'escape';
		ALTER DATABASE postgres SET extra_float_digits = -10; ALTER ROLE postgres SET statement_timeout = 1`)
	s.cfg.Slot = "other"
	snapshot := s.snapshot(t)
	defer snapshot.Close()
	copied := &rows{m: map[string]string{}}
	if err := snapshot.Copy(t.Context(), s.start.Tables, 1, func() (Sink, error) { return copied, nil }); err != nil {
		t.Fatal(err)
	}
	r := s.run(t)
	s.Exec(t, "postgres", "SET statement_timeout = 0; SET TimeZone = 'UTC'; DELETE FROM v; INSERT INTO v VALUES "+values)
	r.next(t)
	const want = `('1', '2022-12-01 05:01:25.014+00', 'P1Y2M3DT4H', '0.30000001192092896', '\x00ff', '$12.50', ` +
		`'2022-02-01')`
	if got := copied.m["v 1"]; got != want {
		t.Errorf("copied %s, want %s", got, want)
	}
	if got := changes(t, r.next(t)); got != "insert v - -> "+want {
		t.Errorf("streamed %s, want %s", got, want)
	}
}

// TestUnknownEncoding holds that names and values that are no UTF-8 come as the bytes they are, by the snapshot and by
// the stream.
func TestUnknownEncoding(t *testing.T) {
	const value = "(1, 'caf\xe9 \xff')"
	s := newSource(t, "CREATE TABLE v (id int PRIMARY KEY, \"na\xefve\" text); INSERT INTO v VALUES "+value,
		pgtest.WithEncoding("SQL_ASCII"))
	s.cfg.Slot = "other"
	snapshot := s.snapshot(t)
	defer snapshot.Close()
	copied := &rows{m: map[string]string{}}
	if err := snapshot.Copy(t.Context(), s.start.Tables, 1, func() (Sink, error) { return copied, nil }); err != nil {
		t.Fatal(err)
	}
	r := s.run(t)
	s.Exec(t, "postgres", "DELETE FROM v; INSERT INTO v VALUES "+value)
	r.next(t)
	const want = "('1', 'caf\xe9 \xff')"
	if got := copied.m["v 1"]; got != want {
		t.Errorf("copied %q, want %q", got, want)
	}
	if got := changes(t, r.next(t)); got != "insert v - -> "+want {
		t.Errorf("streamed %q, want %q", got, want)
	}
	if got := s.start.Tables[0].Columns[1].Name; got != "na\xefve" {
		t.Errorf("column %q", got)
	}
}
