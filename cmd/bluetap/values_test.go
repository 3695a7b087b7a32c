package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"bluetap/internal/blueschema"
	"bluetap/internal/jsjson/nodetest"
	"bluetap/internal/pgtest"
)

const (
	valueRows  = 100_000 / thin // a row counts anew when it is updated
	valueBatch = 500            // rows of one transaction
)

// TestEveryValue sends random rows with columns of every kind, and of every name, through a real daemon to the real
// Node, which holds that JSON.stringify(JSON.parse(body)) is the body and that every column of both values is what
// Postgres, asked in other words, says of it. Half of the rows are there before the daemon's first start, so that their
// previous values come from the snapshot, and the others from the stream.
func TestEveryValue(t *testing.T) {
	v := newValues(t, newValueTables())
	const rows = valueRows / 2
	v.insert(t, 0, rows/2)
	i := install(t, "", "")
	i.write(t, v.pg.URL("postgres"), "tables: {todo: {columns: {__proto__: weird}}}",
		"delivery: {allowedNetworks: [127.0.0.0/8], timeout: 60s, concurrency: 32}", []webhookYAML{{id: "values",
			url: v.checker.URL, extra: []string{"events: [" + strings.Join(v.events(), ", ") + "]"}}})
	p := i.start(t)
	v.wantWarnings(t, p)
	v.insert(t, rows/2, rows)
	v.update(t, rows)
	waitUntil(t, "every body", func() bool { return v.checker.told() >= rows/2+rows })
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	v.checker.want(t, rows/2+rows, 2*rows)
}

// values is a database whose tables are given columns of every kind and random rows.
type values struct {
	pg      *pgtest.Server
	conn    *pgx.Conn
	r       *rand.Rand
	tables  []valueTable
	checker *checker
}

func newValues(t *testing.T, tables []valueTable) *values {
	t.Helper()
	v := &values{pg: pgtest.Start(t), r: nodetest.Rand(t), tables: tables}
	v.pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+readFile(t, fixture)+valueTypes)
	v.conn = v.pg.Conn(t, "postgres")
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
		v.pg.Exec(t, "postgres", table.alter())
	}
	v.exec(t, "SET TimeZone = 'UTC'; SET IntervalStyle = 'iso_8601'; SET lc_monetary = 'C'; SET synchronous_commit = off")
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

// wantWarnings holds that each column that is left out is named in the log.
func (v *values) wantWarnings(t *testing.T, p *process) {
	t.Helper()
	var warnings []string
	for _, line := range p.log() {
		var record struct{ Warning string }
		if json.Unmarshal([]byte(line), &record) == nil && record.Warning != "" {
			warnings = append(warnings, record.Warning)
		}
	}
	for _, table := range v.tables {
		for _, c := range append(table.columns, column{name: "gen", field: "-"}) {
			warned := slices.ContainsFunc(warnings, func(w string) bool {
				return strings.HasPrefix(w, "table "+table.Name+": ") && strings.Contains(w, " column "+c.name+" is ")
			})
			if warned != (c.field == "-") {
				t.Errorf("table %s: column %q is warned of: %v, in %q", table.Name, c.name, warned, warnings)
			}
		}
	}
}

// insert inserts the rows numbered from to to, the share of each table.
func (v *values) insert(t *testing.T, from, to int) {
	t.Helper()
	v.batches(t, from, to, func(table *valueTable, from, to int) {
		names := "id, " + table.others + ", " + table.title.name
		v.copyIn(t, table, table.Name, names, table.columns, from, to, "old")
	})
}

// update gives all rows other values in most columns.
func (v *values) update(t *testing.T, rows int) {
	t.Helper()
	for _, table := range v.tables {
		v.exec(t, fmt.Sprintf("CREATE TEMP TABLE new_%s AS TABLE %[1]s WITH NO DATA", table.Name))
	}
	v.batches(t, 0, rows, func(table *valueTable, from, to int) {
		columns := slices.DeleteFunc(slices.Clone(table.columns), func(column) bool { return v.r.IntN(3) == 0 })
		names := "id, " + table.others + ", " + table.title.name
		v.exec(t, "TRUNCATE new_"+table.Name)
		v.copyIn(t, table, "new_"+table.Name, names, columns, from, to, "new")
		set := quoted(table.title.name) + " = new." + quoted(table.title.name)
		for _, c := range columns {
			set += fmt.Sprintf(", %s = new.%[1]s", quoted(c.name))
		}
		v.exec(t, fmt.Sprintf("UPDATE %s old SET %s FROM new_%[1]s new WHERE new.id = old.id", table.Name, set))
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

func (v *values) copyIn(t *testing.T, table *valueTable, into, names string, columns []column, from, to int, age string) {
	t.Helper()
	var b bytes.Buffer
	escape := strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)
	for n := from; n < to; n++ {
		fmt.Fprintf(&b, "%s\t%s\t%s %s", rowID(n), strings.Trim(table.othersValues, "'"), escape.Replace(anyText(v.r)), age)
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
	for _, c := range columns {
		names += ", " + quoted(c.name)
	}
	if _, err := v.conn.PgConn().CopyFrom(t.Context(), &b, "COPY "+into+" ("+names+") FROM STDIN"); err != nil {
		t.Fatalf("%s: %v", into, err)
	}
}

// rowID is the id of a table's n-th row; in the order of the numbers.
func rowID(n int) string { return fmt.Sprintf("value%08d", n) }

// expect sends the checker what Postgres says of rows.
func (v *values) expect(t *testing.T, number, from, to int) {
	t.Helper()
	table := &v.tables[number]
	sql := "COPY (SELECT id, " + table.title.name
	for _, c := range table.sent() {
		sql += ", " + c.kind.sql(quoted(c.name))
	}
	sql += fmt.Sprintf(" FROM %s WHERE id >= '%s' AND id < '%s') TO STDOUT", table.Name, rowID(from), rowID(to))
	w := expectations{v.checker.node, byte(number)}
	if _, err := v.conn.PgConn().CopyTo(t.Context(), w, sql); err != nil {
		t.Fatalf("ask for %s: %v", table.Name, err)
	}
}

// expectations is where a COPY of a table's expectations goes.
type expectations struct {
	node  *nodetest.Session
	table byte
}

func (e expectations) Write(b []byte) (int, error) {
	return len(b), e.node.Send([]byte{'E', e.table}, b)
}

// checker is a receiver whose bodies Node checks.
type checker struct {
	*httptest.Server
	node *nodetest.Session

	mu  sync.Mutex
	ids map[string]bool // of the events that came
}

func check(t *testing.T, tables []valueTable) *checker {
	t.Helper()
	c := &checker{node: nodetest.Open(t, readFile(t, "testdata/values.js")), ids: map[string]bool{}}
	type nodeColumn struct {
		Name string `json:"name"`
		Kind string `json:"kind"`
	}
	type nodeTable struct {
		ID      string       `json:"id"`
		Keys    []string     `json:"keys"`
		Columns []nodeColumn `json:"columns"`
	}
	var setup struct {
		Tables []nodeTable               `json:"tables"`
		Events map[string]map[string]int `json:"events"`
	}
	setup.Events = map[string]map[string]int{}
	for i, table := range tables {
		n := nodeTable{ID: "id", Keys: slices.Clone(table.keys), Columns: []nodeColumn{{table.title.name, asText.node}}}
		for _, c := range table.sent() {
			n.Keys = append(n.Keys, c.sentAs())
			n.Columns = append(n.Columns, nodeColumn{c.sentAs(), c.kind.node})
		}
		n.Keys = append(n.Keys, table.nested...)
		setup.Tables = append(setup.Tables, n)
		setup.Events[table.created] = map[string]int{"table": i, "previous": -1, "current": 0}
		setup.Events[table.changed] = map[string]int{"table": i, "previous": 0, "current": 1}
	}
	message, err := json.Marshal(setup)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.node.Send([]byte{'C'}, message); err != nil {
		t.Fatal(err)
	}
	c.Server = httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(c.Close)
	return c
}

func (c *checker) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	id := r.Header.Get("webhook-id")
	if c.ids[id] {
		return // redelivered
	}
	c.ids[id] = true
	// An error is that of a Node that threw, which shows at the end.
	_ = c.node.Send([]byte{'B'}, []byte(r.Header.Get("bluetap-event")+"\n"), body)
}

func (c *checker) told() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.ids)
}

// want holds that Node has found nothing wrong with so many bodies, and rows.
func (c *checker) want(t *testing.T, bodies, rows int) {
	t.Helper()
	c.Close()
	var got struct {
		Bodies, Values, Rows int
		Mismatches           []map[string]any
	}
	if err := json.Unmarshal(c.node.Close(t), &got); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d rows, %d values compared in %d bodies", got.Rows, got.Values, got.Bodies)
	if got.Bodies != bodies || got.Rows != rows {
		t.Errorf("%d bodies and %d rows, want %d and %d", got.Bodies, got.Rows, bodies, rows)
	}
	for _, m := range got.Mismatches {
		t.Errorf("mismatch: %.2000v", m)
	}
}
