package main

import (
	"strings"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
)

// TestUnreachable has no server: the daemon says so and waits for it, and still stops at once when asked.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	i := install(t, "postgres://127.0.0.1:1/postgres", "", webhookYAML{id: "a", url: "https://example.com/"})
	p := i.run(t)
	p.waitLog("waiting for the database")
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

// TestSnapshotFails cuts the line in the middle of the first copy: the slot is dropped and everything begun anew, and
// the mirror holds each row once.
func TestSnapshotFails(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+blueschema.InsertTodoCreated()+`
		INSERT INTO comments (id, text, todo_id)
		SELECT 'c' || i, repeat('x', 200), 'clb4zna6x0000vt1swuwso25f' FROM generate_series(1, 200000) i`)
	to := receive(t)
	proxy := pgtest.NewProxy(t, pg.Addr())
	i := install(t, pg.URLAt(proxy.Addr(), "postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}",
		webhookYAML{id: "a", url: to.URL})
	p := i.run(t)
	p.waitLog("slot created")
	proxy.Cut()
	p.waitLog("waiting for the database")
	p.waitLog("streaming")
	pg.Exec(t, "postgres", "UPDATE comments SET text = 'new' WHERE id IN ('c1', 'c100000', 'c200000')")
	for _, id := range []string{"c1", "c100000", "c200000"} {
		all := to.waitForBody(t, "COMMENT_UPDATED", `"id":"`+id+`"`)
		if d := all[len(all)-1]; !strings.Contains(d.body, `"previousValue":{"id":"`+id+`"`) ||
			!strings.Contains(d.body, strings.Repeat("x", 200)) {
			t.Errorf("body without the previous text: %.300s", d.body)
		}
	}
	if got := i.waitEmpty(t).Divergences; len(got) > 0 {
		t.Errorf("divergences %v", got)
	}
}
