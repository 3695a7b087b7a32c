package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"bluetap/internal/pgtest"
)

// TestResumeComesFirst kills the daemon when a large transaction is staged, with another change behind it. It is
// finished before anything is received, and not received again; what is behind it comes after.
func TestResumeComesFirst(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", stagedSQL())
	to := countEvents(t)
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8], concurrency: 64}",
		webhookYAML{id: "staged", url: to.URL})
	p := i.start(t)
	p.dieAt("large transaction staged")
	pg.Exec(t, "postgres", "UPDATE todos SET title = 'after ' || id")
	staged := p.waitLog("large transaction staged")["position"]
	p.kill()
	pg.Exec(t, "postgres", "UPDATE todos SET title = 'last' WHERE id = 't1'")

	p = i.run(t)
	p.waitLog("resuming staged transaction")
	appliedIsReceived(t, i)
	if got := p.waitLog("streaming")["position"]; got != staged {
		t.Errorf("streaming begins at %v, want the end of what was staged, %v", got, staged)
	}
	to.waitCount(t, stagedRows+1, func() int64 { appliedIsReceived(t, i); return 0 })
	to.reset(t, stagedRows+1)
	var order []string
	for _, line := range p.log() {
		var record struct{ Msg string }
		if json.Unmarshal([]byte(line), &record) == nil && record.Msg != "" {
			order = append(order, record.Msg)
		}
	}
	applied, streaming := slices.Index(order, "large transaction applied"), slices.Index(order, "streaming")
	if applied < 0 || streaming < applied ||
		strings.Contains(strings.Join(order, "\n"), "large transaction received") {
		t.Errorf("not in order:\n%s", strings.Join(order, "\n"))
	}
}

// appliedIsReceived wants nothing to be applied that is not said to be received.
func appliedIsReceived(t *testing.T, i *instance) {
	t.Helper()
	if at := askJSON(t, i).Position; lsn(t, at.Received) < lsn(t, at.Applied) {
		t.Errorf("positions %+v, want applied ≤ received", at)
	}
}
