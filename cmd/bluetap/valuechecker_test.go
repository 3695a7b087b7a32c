package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"bluetap/internal/jsjson/nodetest"
)

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
