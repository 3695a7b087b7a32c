package main

import (
	"net/http"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
)

// TestDeadLetterRetention has an event refused by two receivers: each dead letter is kept as long as its webhook says.
func TestDeadLetterRetention(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	to := receive(t)
	to.answers(func(delivery) int { return http.StatusBadRequest })
	const once = "retry: {schedule: []}"
	i := install(t, pg.URL("postgres"),
		"  retention: 4s\ndelivery: {allowedNetworks: [127.0.0.0/8], deadLetterRetention: 2s}",
		webhookYAML{id: "all", url: to.URL, extra: []string{once}},
		webhookYAML{id: "own", url: to.URL, extra: []string{once, "deadLetterRetention: 1h"}})
	i.start(t)
	pg.Exec(t, "postgres", blueschema.InsertTodoCreated())
	waitUntil(t, "both refused", func() bool { return i.webhook(t, "own").Dead == 1 && i.webhook(t, "all").Pending == 0 })
	waitUntil(t, "the one that is old to go", func() bool { return i.webhook(t, "all").Dead == 0 })
	if n := i.webhook(t, "own").Dead; n != 1 {
		t.Errorf("%d dead letters that are to be kept for an hour, want 1", n)
	}
}
