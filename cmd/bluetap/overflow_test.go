package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bluetap/internal/blueschema"
	"bluetap/internal/control"
	"bluetap/internal/pgtest"
)

// makeTodos commits so many todos of about 3 kB, a transaction each, named after the round.
func makeTodos(t *testing.T, pg *pgtest.Server, round string, n int) {
	t.Helper()
	pg.Exec(t, "postgres", fmt.Sprintf(`DO $$ BEGIN FOR i IN 1..%d LOOP
		INSERT INTO todos (id, title, todo_list_id, text)
		VALUES ('%s-' || i, '%s ' || i, 'clakt9v5t000kvt64f563l90l', repeat('x', 3000));
		COMMIT; END LOOP; END $$`, n, round, round))
}

// slowAndWell is a receiver of two webhooks of which slow fails until it is told otherwise.
func slowAndWell(t *testing.T) (to *receiver, up *atomic.Bool) {
	t.Helper()
	to, up = receive(t), new(atomic.Bool)
	to.answers(func(d delivery) int {
		if d.path == "/slow" && !up.Load() {
			return 503
		}
		return 200
	})
	return to, up
}

// came returns how many different events of the type have come on the path.
func came(to *receiver, path, event string) int {
	ids := map[string]bool{}
	for _, d := range to.deliveries() {
		if d.path == path && d.event == event {
			ids[d.id] = true
		}
	}
	return len(ids)
}

func (i *instance) webhook(t *testing.T, id string) control.Webhook {
	t.Helper()
	status, err := control.AskStatus(t.Context(), i.state)
	if err != nil {
		t.Fatal(err)
	}
	n := slices.IndexFunc(status.Webhooks, func(w control.Webhook) bool { return w.ID == id })
	if n < 0 {
		t.Fatalf("no webhook %s: %+v", id, status.Webhooks)
	}
	return status.Webhooks[n]
}

// missed adds up what a webhook's gaps count of todos that were created.
func missed(w control.Webhook) (n uint64) {
	for _, g := range w.Gaps {
		n += g.Events["TODO_CREATED"]
	}
	return n
}

// soon lets an event be tried often, as the receivers here are down for seconds.
var soon = "retry: {schedule: [" + strings.Repeat("500ms, ", 49) + "500ms]}"

// TestOverflow has a webhook whose receiver is down and whose queue is small, through several kills in which events go
// by: each is in the queue or in the gap. Then the receiver comes back: it gets the queue, is told of the gap, and gets
// what is new; the other webhook has missed nothing.
func TestOverflow(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	to, up := slowAndWell(t)
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}",
		webhookYAML{id: "slow", url: to.URL + "/slow",
			extra: []string{"events: [TODO_CREATED, BLUETAP_GAP]", "maxQueue: 1MiB", soon}},
		webhookYAML{id: "well", url: to.URL + "/well", extra: []string{"events: [TODO_CREATED, BLUETAP_GAP]"}})
	p := i.start(t)
	const rounds, each = 4, 300
	for round := range rounds {
		done := make(chan struct{})
		go func() {
			defer close(done)
			makeTodos(t, pg, fmt.Sprint("r", round), each)
		}()
		waitUntil(t, "some of the round", func() bool { return came(to, "/well", "TODO_CREATED") > round*each+each/3 })
		p.kill()
		<-done
		p = i.start(t)
		waitUntil(t, "each event in queue or gap", func() bool {
			w := i.webhook(t, "slow")
			return w.Pending+w.Dead+missed(w) == uint64(each*(round+1))
		})
	}
	p.waitLog("webhook overflowed: its queue is full, new events for it are not queued until it has room")
	w := i.webhook(t, "slow")
	if w.Health != "OVERFLOWED" || len(w.Gaps) != 1 || w.Gaps[0].EndedAt != nil ||
		w.Bytes < 1<<20 || w.Bytes > 1<<20+6000 {
		t.Errorf("overflowed: %+v", w)
	}
	if _, text, _ := command(t, "status", "--config", i.config); !strings.Contains(text, "gap ") ||
		!strings.Contains(text, "OVERFLOWED") || !strings.Contains(text, "until there is room") {
		t.Errorf("status:\n%s", text)
	}
	up.Store(true)
	all := to.waitFor(t, "BLUETAP_GAP", func(d delivery) bool { return d.event == "BLUETAP_GAP" })
	p.waitLog("webhook's queue has room again: events in between were not kept")
	makeTodos(t, pg, "after", 1)
	to.waitForBody(t, "TODO_CREATED", "after 1")
	i.waitEmpty(t)
	checkGap(t, all[len(all)-1], i.webhook(t, "slow"), to.URL+"/slow")
	w = i.webhook(t, "slow")
	if got, gap := came(to, "/slow", "TODO_CREATED"), int(missed(w)); got+gap != rounds*each+1 {
		t.Errorf("%d delivered and %d in the gap, of %d", got, gap, rounds*each+1)
	}
	if got := came(to, "/well", "TODO_CREATED"); got != rounds*each+1 {
		t.Errorf("the other webhook got %d, want all %d", got, rounds*each+1)
	}
	if n, gaps := came(to, "/well", "BLUETAP_GAP"), i.webhook(t, "well").Gaps; n != 0 || len(gaps) != 0 {
		t.Errorf("the other webhook was told of %d gaps, and status shows %+v", n, gaps)
	}
}

// checkGap compares what a webhook was told of its gap with what status shows.
func checkGap(t *testing.T, d delivery, w control.Webhook, url string) {
	t.Helper()
	var body struct {
		PreviousValue *struct{}
		CurrentValue  map[string]string
	}
	if err := json.Unmarshal([]byte(d.body), &body); err != nil || len(w.Gaps) != 1 {
		t.Fatalf("%v: %s, %+v", err, d.body, w)
	}
	const millis = "2006-01-02T15:04:05.000Z"
	g := w.Gaps[0]
	want := map[string]string{"reason": "OVERFLOWED", "from": g.From.Format(millis), "to": g.To.Format(millis),
		"epoch": strings.Split(d.id, "_")[1]}
	if fmt.Sprint(body.CurrentValue) != fmt.Sprint(want) || d.path != "/slow" {
		t.Errorf("told %v on %s, want %v", body.CurrentValue, d.path, want)
	}
	fixed := strings.NewReplacer(want["from"], "2026-01-02T03:04:05.678Z", want["to"], "2026-01-02T06:54:32.109Z",
		want["epoch"], "0badcafe", url, "http://receiver").Replace(d.body)
	compareGolden(t, "../../mapping/testdata/gap/bluetap_gap.sql", fixed+"\n", *update)
	if w.Health != "HEALTHY" || g.EndedAt == nil || time.Since(*g.EndedAt) > time.Hour {
		t.Errorf("after it: %+v", w)
	}
}

// TestWhenFullPause stops reading instead: the slot is left, and then everything comes to all.
func TestWhenFullPause(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	to, up := slowAndWell(t)
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8], whenFull: pause}",
		webhookYAML{id: "slow", url: to.URL + "/slow", extra: []string{"maxQueue: 1MiB", soon}},
		webhookYAML{id: "well", url: to.URL + "/well"})
	p := i.start(t)
	const todos = 1000
	makeTodos(t, pg, "p", todos)
	p.waitLog("webhook's queue is full: reading stops, for all webhooks, until it has room")
	waitUntil(t, "disconnected", func() bool { return count(t, pg, "pg_replication_slots WHERE active") == "0" })
	w := i.webhook(t, "slow")
	if w.Health == "OVERFLOWED" || len(w.Gaps) != 0 || w.Bytes < 1<<20 || w.Bytes > 1<<20+6000 {
		t.Errorf("paused: %+v", w)
	}
	if got := askJSON(t, i).Source.Paused; !strings.Contains(got, "slow") || !strings.Contains(got, "1MiB") {
		t.Errorf("paused: %q", got)
	}
	if _, text, _ := command(t, "status", "--config", i.config); !strings.Contains(text, "paused ") {
		t.Errorf("status:\n%s", text)
	}
	p.kill()
	p = i.run(t)
	p.waitLog("webhook's queue is full: reading stops, for all webhooks, until it has room")
	p.waitLog("streaming")
	waitUntil(t, "disconnected", func() bool { return count(t, pg, "pg_replication_slots WHERE active") == "0" })
	if got := i.webhook(t, "slow").Bytes; got > 1<<20+6000 {
		t.Errorf("%d bytes queued after a restart", got)
	}
	up.Store(true)
	p.waitLog("webhook's queue has room again")
	p.waitLog("streaming again")
	for _, path := range []string{"/slow", "/well"} {
		waitUntil(t, "all on "+path, func() bool { return came(to, path, "TODO_CREATED") == todos })
	}
	if got := askJSON(t, i).Source.Paused; got != "" {
		t.Errorf("still paused: %q", got)
	}
}
