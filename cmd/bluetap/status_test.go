package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"bluetap/capture"
	"bluetap/internal/blueschema"
	"bluetap/internal/control"
	"bluetap/internal/pgserver"
	"bluetap/internal/pgtest"
)

// TestStatus asks a running daemon and the state of a stopped one, with a webhook that the state does not know yet.
func TestStatus(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	to := receive(t)
	hook := webhookYAML{id: "a", url: to.URL, extra: []string{"secret: never-shown"}}
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}", hook)
	if code, _, stderr := command(t, "status", "--config", i.config); code != 1 || !strings.Contains(stderr, "next: ") {
		t.Errorf("status before the first start: exit code %d, %s", code, stderr)
	}
	p := i.start(t)
	pg.Exec(t, "postgres", blueschema.InsertTodoCreated())
	to.waitForBody(t, "TODO_CREATED", "GGGG")
	i.waitEmpty(t)
	waitConfirmed(t, pg)
	running := askJSON(t, i)
	if !running.Running || !running.Source.Connected || running.Source.Snapshot != "ready" || running.StartedAt == nil {
		t.Errorf("running: %+v", running)
	}
	at := running.Position
	marks := []capture.LSN{lsn(t, at.Confirmed), lsn(t, at.Stored), lsn(t, at.Applied), lsn(t, at.Received)}
	if !slices.IsSorted(marks) || marks[0] == 0 {
		t.Errorf("positions %+v, want confirmed ≤ stored ≤ applied ≤ received", at)
	}
	checkWebhook(t, running)
	if code, out, _ := command(t, "status", "--config", i.config); code != 0 || !strings.Contains(out, "streaming") {
		t.Errorf("exit code %d, %s", code, out)
	}
	p.stop()
	i.configure(t, pg.URL("postgres"), "", hook, webhookYAML{id: "new", url: to.URL})
	stopped := askJSON(t, i)
	if stopped.Running || lsn(t, stopped.Position.Stored) < lsn(t, running.Position.Stored) {
		t.Errorf("stopped: %+v, running: %+v", stopped, running)
	}
	checkWebhook(t, stopped)
}

// TestStatusWhileStarting asks a stopped daemon, and one that waits for its database: what is queued is told, and that
// its receiver is gone.
func TestStatusWhileStarting(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	to := receive(t)
	to.answer = func(delivery) int { return http.StatusGone }
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}", webhookYAML{id: "a", url: to.URL})
	p := i.start(t)
	pg.Exec(t, "postgres", blueschema.InsertTodoCreated())
	waitUntil(t, "the receiver to be gone", func() bool { return isGone(askJSON(t, i)) })
	p.stop()
	pg.Stop(t, pgserver.Fast)
	if s := askJSON(t, i); s.Running || !isGone(s) {
		t.Errorf("stopped: %+v", s)
	}
	wantHealth(t, i, pg, "DISABLED", webhookYAML{id: "a", url: to.URL, extra: []string{"enabled: false"}})
	wantHealth(t, i, pg, "HEALTHY", webhookYAML{id: "a", url: to.URL + "/elsewhere"})
	wantHealth(t, i, pg, "GONE", webhookYAML{id: "a", url: to.URL})
	i.run(t).waitLog("waiting for the database")
	waitUntil(t, "the control socket", func() bool {
		_, err := control.AskStatus(t.Context(), i.state)
		return err == nil
	})
	if s := askJSON(t, i); !s.Running || !isGone(s) {
		t.Errorf("starting: %+v", s)
	}
}

// wantHealth gives a daemon that is stopped another configuration, and wants its status to be of that one.
func wantHealth(t *testing.T, i *instance, pg *pgtest.Server, want string, w webhookYAML) {
	t.Helper()
	i.configure(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}", w)
	if got := askJSON(t, i).Webhooks; len(got) != 1 || got[0].Health != want {
		t.Errorf("%+v, want %s", got, want)
	}
}

func isGone(s control.Status) bool {
	return len(s.Webhooks) == 1 && s.Webhooks[0].Health == "GONE" && s.Webhooks[0].Pending == 1
}

func lsn(t *testing.T, text string) capture.LSN {
	t.Helper()
	var l capture.LSN
	if err := l.Scan(text); err != nil {
		t.Fatal(err)
	}
	return l
}

func checkWebhook(t *testing.T, s control.Status) {
	t.Helper()
	if len(s.Webhooks) != 1 {
		t.Fatalf("webhooks: %+v", s.Webhooks)
	}
	if w := s.Webhooks[0]; w.ID != "a" || w.Health != "HEALTHY" || w.Pending != 0 || w.Delivered != 1 || w.Dead != 0 {
		t.Errorf("webhook: %+v", w)
	}
}

func askJSON(t *testing.T, i *instance) control.Status {
	t.Helper()
	code, out, stderr := command(t, "status", "--json", "--config", i.config)
	var s control.Status
	if err := json.Unmarshal([]byte(out), &s); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s%s", code, err, out, stderr)
	}
	if strings.Contains(out, "never-shown") {
		t.Error("the secret is in the status")
	}
	return s
}
