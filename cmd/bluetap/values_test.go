package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bluetap/internal/blueschema"
	"bluetap/internal/jsjson/nodetest"
	"bluetap/internal/pgtest"
	"bluetap/internal/racetest"
)

const (
	valueRows  = 100_000 // a row counts anew when it is updated
	valueBatch = 500     // rows of one transaction
)

// TestEveryValue sends random rows with columns of every kind, and of every name, through a real daemon to the real
// Node, which holds that JSON.stringify(JSON.parse(body)) is the body and that every column of both values is what
// Postgres, asked in other words, says of it.
func TestEveryValue(t *testing.T) {
	racetest.SkipOneByOne(t)
	t.Parallel()
	v := newValues(t, "UTF8", valueTypes, everyValue())
	v.play(t, valueRows, "tables: {todo: {columns: {__proto__: weird}}}", false)
}

// play commits rows, counting anew those that are updated, and checks all that is sent of them. Half of them are there
// before the daemon's first start, so that their previous values come from the snapshot, and the others' from the
// stream. line is one more of the configuration's database; restart lets a second daemon tell the updates.
func (v *values) play(t *testing.T, rows int, line string, restart bool) {
	t.Helper()
	rows /= 2
	v.insert(t, 0, rows/2)
	i := install(t, "", "")
	i.write(t, v.pg.URL("postgres"), line,
		"delivery: {allowedNetworks: [127.0.0.0/8], timeout: 60s, concurrency: 32}", []webhookYAML{{id: "values",
			url: v.checker.URL, extra: []string{"events: [" + strings.Join(v.events(), ", ") + "]"}}})
	p := i.start(t)
	v.wantWarnings(t, p)
	v.insert(t, rows/2, rows)
	if restart {
		if code := p.stop(); code != 0 {
			t.Errorf("exit code %d after SIGTERM, want 0", code)
		}
		p = i.start(t)
	}
	v.update(t, rows)
	bodies := rows - rows/2 + rows
	waitUntil(t, "every body", func() bool { return v.checker.told() >= bodies })
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	v.checker.want(t, bodies, 2*rows)
}

// values is a database whose tables are given columns of every kind and random rows.
type values struct {
	pg      *pgtest.Server
	conn    *pgx.Conn
	r       *rand.Rand
	tables  []valueTable
	checker *checker
}

func newValues(t *testing.T, encoding, types string, tables []valueTable) *values {
	t.Helper()
	v := &values{pg: pgtest.Start(t, pgtest.WithEncoding(encoding)), r: nodetest.Rand(t), tables: tables}
	v.pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+readFile(t, fixture))
	v.conn = v.pg.Conn(t, "postgres")
	if encoding != "SQL_ASCII" {
		v.exec(t, "SET client_encoding = 'UTF8'")
	}
	v.exec(t, "SET TimeZone = 'UTC'; SET IntervalStyle = 'iso_8601'; SET lc_monetary = 'C'; SET synchronous_commit = off;"+
		types)
	for i := range tables {
		table := &tables[i]
		table.columns = slices.DeleteFunc(table.columns, func(c column) bool {
			if c.needs == "" {
				return false
			}
			_, err := v.conn.Exec(t.Context(), c.needs)
			if err != nil {
				t.Logf("without %s: %v", c.sqlType, err)
			}
			return err != nil
		})
		v.exec(t, table.alter())
	}
	v.checker = check(t, tables)
	return v
}

func (v *values) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := v.conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%v in %s", err, sql)
	}
}

func (v *values) events() []string {
	var events []string
	for _, table := range v.tables {
		events = append(events, table.created, table.changed)
	}
	return events
}

// leftOut finds the column in a warning.
var leftOut = regexp.MustCompile(`(?s)^table (\S+): (?:generated )?column (.*) is (?:left out:|not in)`)

// wantWarnings holds that each column that is left out is named in the log, and no other.
func (v *values) wantWarnings(t *testing.T, p *process) {
	t.Helper()
	var got, want []string
	for _, line := range p.log() {
		var record struct{ Warning string }
		if json.Unmarshal([]byte(line), &record) != nil {
			continue
		}
		if match := leftOut.FindStringSubmatch(record.Warning); match != nil {
			got = append(got, match[1]+"."+match[2])
		}
	}
	for _, table := range v.tables {
		for _, c := range append(table.columns, column{name: "gen", field: "-"}) {
			if c.field == "-" {
				want = append(want, table.name+"."+strings.ToValidUTF8(c.name, "\uFFFD"))
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("left out with a warning: %q, want %q", got, want)
	}
}

// insert inserts the rows numbered from to to, the share of each table.
func (v *values) insert(t *testing.T, from, to int) {
	t.Helper()
	v.batches(t, from, to, func(table *valueTable, from, to int) {
		v.copyIn(t, table, table.name, table.columns, from, to, "old")
	})
}

// update gives all rows other values in most columns.
func (v *values) update(t *testing.T, rows int) {
	t.Helper()
	for _, table := range v.tables {
		v.exec(t, fmt.Sprintf("CREATE TEMP TABLE new_%s AS TABLE %[1]s WITH NO DATA", table.name))
	}
	v.batches(t, 0, rows, func(table *valueTable, from, to int) {
		columns := slices.DeleteFunc(slices.Clone(table.columns), func(column) bool { return v.r.IntN(3) == 0 })
		v.exec(t, "TRUNCATE new_"+table.name)
		v.copyIn(t, table, "new_"+table.name, columns, from, to, "new")
		set := quoted(table.title.name) + " = new." + quoted(table.title.name)
		for _, c := range columns {
			set += fmt.Sprintf(", %s = new.%[1]s", quoted(c.name))
		}
		v.exec(t, fmt.Sprintf("UPDATE %s old SET %s FROM new_%[1]s new WHERE new.id = old.id", table.name, set))
	})
}

// batches calls do for batches of each table's rows, in a transaction of each, and asks Postgres before the commit what
// they are now.
func (v *values) batches(t *testing.T, from, to int, do func(table *valueTable, from, to int)) {
	t.Helper()
	for i := range v.tables {
		table := &v.tables[i]
		first, last := from*table.share/100, to*table.share/100
		for first < last {
			next := min(first+valueBatch, last)
			v.exec(t, "BEGIN")
			do(table, first, next)
			v.expect(t, i, first, next)
			v.exec(t, "COMMIT")
			first = next
		}
	}
}

func (v *values) copyIn(t *testing.T, table *valueTable, into string, columns []column, from, to int, age string) {
	t.Helper()
	var b bytes.Buffer
	escape := strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)
	for n := from; n < to; n++ {
		fmt.Fprintf(&b, "%s\t%s\t%s %s", escape.Replace(rowID(n)+table.suffix(n)), table.parent,
			escape.Replace(table.title.random(v.r)), age)
		for _, c := range columns {
			b.WriteByte('\t')
			if v.r.IntN(12) == 0 {
				b.WriteString(`\N`)
			} else {
				b.WriteString(escape.Replace(c.random(v.r)))
			}
		}
		b.WriteByte('\n')
	}
	names := "id, " + table.parentColumn + ", " + table.title.name
	for _, c := range columns {
		names += ", " + quoted(c.name)
	}
	if _, err := v.conn.PgConn().CopyFrom(t.Context(), &b, "COPY "+into+" ("+names+") FROM STDIN"); err != nil {
		t.Fatalf("%s: %v", into, err)
	}
}

// rowID is how the id of a table's n-th row begins; in the order of the numbers.
func rowID(n int) string { return fmt.Sprintf("value%08d", n) }

// expect sends the checker what Postgres says of rows.
func (v *values) expect(t *testing.T, number, from, to int) {
	t.Helper()
	table := &v.tables[number]
	sql := "COPY (SELECT id, " + table.title.name
	for _, c := range table.sent() {
		sql += ", " + c.kind.sql(quoted(c.name))
	}
	sql += fmt.Sprintf(" FROM %s WHERE id >= '%s' AND id < '%s') TO STDOUT", table.name, rowID(from), rowID(to))
	w := expectations{v.checker.node, byte(number)}
	if _, err := v.conn.PgConn().CopyTo(t.Context(), w, sql); err != nil {
		v.checker.node.Close(t) // tells why, if it was Node that ended
		t.Fatalf("ask for %s: %v", table.name, err)
	}
}
