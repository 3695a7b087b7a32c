package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"bluetap/internal/blueschema"
	"bluetap/internal/control"
	"bluetap/internal/pgtest"
)

// secretParts must never be shown.
var secretParts = []string{"the-signing-secret", "the-header-value", "the-query-token"}

// pingable is an installation without a database behind it, since ping needs none.
func pingable(t *testing.T, url string, extra ...string) *instance {
	t.Helper()
	return install(t, "postgres://nobody@127.0.0.1:1/none", "delivery: {allowedNetworks: [127.0.0.0/8]}",
		webhookYAML{id: "w", url: url + "/hook?token=the-query-token", extra: append(extra,
			"secret: the-signing-secret", "headers: {Authorization: the-header-value}")})
}

func wantNoSecret(t *testing.T, text string) {
	t.Helper()
	for _, part := range secretParts {
		if strings.Contains(text, part) {
			t.Errorf("%s is shown:\n%s", part, text)
		}
	}
}

func TestPingCommand(t *testing.T) {
	to := receive(t)
	i := pingable(t, to.URL)
	code, stdout, stderr := command(t, "ping", "--config", i.config, "w")
	if code != exitOK {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	wantNoSecret(t, stdout+stderr)
	got := to.deliveries()[0]
	for _, want := range []string{"POST " + to.URL + "/hook?<secret>\n", "Authorization: <secret>\n",
		"X-Signature: " + got.header.Get("X-Signature") + "\n", "webhook-id: " + got.id + "\n",
		strings.ReplaceAll(got.body, "the-query-token", "<secret>")[:60], "\nstatus 200 OK after "} {
		if !strings.Contains(stdout, strings.ReplaceAll(want, "token=<secret>", "<secret>")) {
			t.Errorf("%q is missing in\n%s", want, stdout)
		}
	}
	if got.event != healthCheck.Event || got.header.Get("Authorization") != "the-header-value" {
		t.Errorf("came as %s with %v", got.event, got.header)
	}
	verifyWithNode(t, "the-signing-secret", got)
	standard, err := standardwebhooks.NewWebhookRaw([]byte("the-signing-secret"))
	if err != nil {
		t.Fatal(err)
	}
	if err := standard.Verify([]byte(got.body), got.header); err != nil {
		t.Errorf("Standard Webhooks: %v", err)
	}

	code, stdout, _ = command(t, "ping", "--config", i.config, "w", "--enable")
	if code != exitOK || !strings.Contains(stdout, "webhook w was not GONE") {
		t.Errorf("--enable without a state: exit code %d\n%s", code, stdout)
	}
	compareGolden(t, "../../mapping/testdata/health/health_check.sql", goldenPing(t), *update)
}

// goldenPing returns a health check's body as the golden files have theirs.
func goldenPing(t *testing.T) string {
	t.Helper()
	to := receive(t)
	i := install(t, "postgres://nobody@127.0.0.1:1/none", "delivery: {allowedNetworks: [127.0.0.0/8]}",
		webhookYAML{id: "golden", url: to.URL})
	if code, _, stderr := command(t, "ping", "--config", i.config, "golden"); code != exitOK {
		t.Fatal(stderr)
	}
	return strings.ReplaceAll(joinBodies(to.deliveries()), to.URL, "http://receiver")
}

func TestPingFails(t *testing.T) {
	answer := func(status int) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://example.com/the-query-token")
			w.WriteHeader(status)
			_, _ = w.Write([]byte("why: \x1b[31mno token=the-query-token the-header-value\n"))
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server does not see that the client has gone
		<-r.Context().Done()
	}))
	t.Cleanup(hanging.Close)
	const short = "timeout: 500ms"
	for _, c := range []struct{ name, url, want, next, timeout string }{
		{"server error", answer(500), "HTTP status 500", "receiver's log", ""},
		{"forbidden", answer(403), "HTTP status 403", "secret and headers", ""},
		{"redirect", answer(302), "HTTP status 302", "redirects are not followed", ""},
		{"gone", answer(410), "HTTP status 410", "remove the webhook", ""},
		{"hanging", hanging.URL, "timeout", "raise the webhook's timeout", short},
		{"nobody there", "http://127.0.0.1:1", "connect", "its receiver runs", ""},
		{"not allowed", "http://[::1]:1", "address not allowed", "delivery.allowedNetworks", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := pingable(t, c.url, c.timeout)
			code, stdout, stderr := command(t, "ping", "--config", i.config, "w", "--enable")
			if code != exitFailed || !strings.Contains(stderr, "health check of webhook w: "+c.want) ||
				!strings.Contains(stderr, c.next) {
				t.Errorf("exit code %d\n%s", code, stderr)
			}
			wantNoSecret(t, stdout+stderr)
			if strings.Contains(stdout, "\x1b") || strings.Contains(stdout, "taken up") {
				t.Errorf("shown:\n%q", stdout)
			}
		})
	}
	code, _, stderr := command(t, "ping", "--config", pingable(t, "http://127.0.0.1:1").config, "nobody")
	if code != exitUsage || !strings.Contains(stderr, `no webhook has the id "nobody"`) ||
		!strings.Contains(stderr, "next: name one of the file: w") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

// TestPingEcho holds that a receiver that repeats its request, as such for trying things out do, gives nothing away.
func TestPingEcho(t *testing.T) {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := fmt.Sprintf("%s|%s|%s|the-signing-secret|the end", r.URL.RawQuery, r.URL.Query().Get("token"),
			r.Header.Get("Authorization"))
		// What is shown ends amid the last one.
		text += strings.Repeat(".", shownResponse-len("the-head")-len(text)) + r.Header.Get("Authorization")
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(echo.Close)
	code, stdout, stderr := command(t, "ping", "--config", pingable(t, echo.URL).config, "w")
	wantNoSecret(t, stdout+stderr)
	want := `response "<secret>|<secret>|<secret>|<secret>|the end.`
	if code != exitOK || !strings.Contains(stdout, want) || strings.Contains(stdout, "the-head") {
		t.Errorf("exit code %d, %s is missing in\n%s", code, want, stdout)
	}
}

// TestPingDisabled holds that a disabled webhook can be asked, and that only the file enables it, state or not.
func TestPingDisabled(t *testing.T) {
	to := receive(t)
	i := pingable(t, to.URL, "enabled: false")
	if code, stdout, stderr := command(t, "ping", "--config", i.config, "w"); code != exitOK {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	code, stdout, stderr := command(t, "ping", "--config", i.config, "w", "--enable")
	if code != exitFailed || !strings.Contains(stderr, "disabled in the configuration, which decides") ||
		!strings.Contains(stderr, "next: set enabled: true") || strings.Contains(stdout, "taken up") {
		t.Errorf("--enable: exit code %d\n%s%s", code, stdout, stderr)
	}
	if n := len(to.deliveries()); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

// TestEnabledAgain holds that a webhook that was disabled gets a health check before its queue, also when the daemon is
// killed while it waits for the answer.
func TestEnabledAgain(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	to := receive(t)
	to.answers(func(delivery) int { return http.StatusInternalServerError })
	const extra = "delivery: {allowedNetworks: [127.0.0.0/8], timeout: 60s}"
	w := webhookYAML{id: "w", url: to.URL}
	i := install(t, pg.URL("postgres"), extra, w)
	p := i.start(t)
	pg.Exec(t, "postgres", blueschema.InsertTodoCreated())
	to.waitFor(t, "TODO_CREATED", func(d delivery) bool { return d.event == "TODO_CREATED" })
	p.stop()
	w.extra = []string{"enabled: false"}
	i.configure(t, pg.URL("postgres"), extra, w)
	i.start(t).stop()
	before := len(to.deliveries())

	w.extra = nil
	i.configure(t, pg.URL("postgres"), extra, w)
	arrived, release := make(chan delivery, 9), make(chan struct{})
	to.answers(func(d delivery) int {
		arrived <- d
		<-release
		return http.StatusOK
	})
	checked := func() {
		t.Helper()
		select {
		case d := <-arrived:
			if !strings.HasPrefix(d.id, "ping_") || d.event != healthCheck.Event {
				t.Errorf("the first request is %s, %s", d.event, d.id)
			}
		case <-time.After(patience):
			t.Fatal("no health check came")
		}
	}
	for round := range 2 {
		p = i.run(t)
		checked()
		// What was written before this commit is on disk when it is confirmed: a kill earlier could hide a lost duty.
		pg.Exec(t, "postgres", fmt.Sprintf("INSERT INTO tags (id, project_id) SELECT 'e%d', id FROM projects", round))
		waitConfirmed(t, pg)
		p.kill()
	}
	p = i.run(t)
	checked()
	to.answers(nil)
	close(release)
	i.waitEmpty(t)
	p.stop()
	events := 0
	for _, d := range to.deliveries()[before:] {
		if strings.HasPrefix(d.id, "evt_") {
			events++
		}
	}
	if events == 0 {
		t.Error("its queue was not delivered")
	}
	after := len(to.deliveries())
	i.start(t).stop()
	if n := len(to.deliveries()) - after; n != 0 {
		t.Errorf("%d requests after a further restart, want no check", n)
	}
}

// TestPingEnable takes a webhook up again that is GONE, of a daemon that runs and of one that does not.
func TestPingEnable(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	to := receive(t)
	gone := func(d delivery) int {
		if d.event == healthCheck.Event {
			return http.StatusOK
		}
		return http.StatusGone
	}
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}", webhookYAML{id: "w", url: to.URL})
	p := i.start(t)
	for round, running := range []bool{true, false} {
		to.answers(gone)
		pg.Exec(t, "postgres", "INSERT INTO tags (id, project_id) SELECT 'g"+string(rune('0'+round))+"', id FROM projects")
		waitUntil(t, "GONE", func() bool {
			status, err := control.AskStatus(t.Context(), i.state)
			if err != nil {
				t.Fatal(err)
			}
			return status.Webhooks[0].Health == "GONE"
		})
		to.answers(nil)
		if !running {
			p.stop()
		}
		code, stdout, stderr := command(t, "ping", "--config", i.config, "w", "--enable")
		if code != exitOK || !strings.Contains(stdout, "webhook w is taken up again") {
			t.Fatalf("running %t: exit code %d\n%s%s", running, code, stdout, stderr)
		}
		if !running {
			p = i.start(t)
		}
		i.waitEmpty(t)
	}
}
