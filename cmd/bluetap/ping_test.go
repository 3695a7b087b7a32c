package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
			"secret: the-signing-secret", "headers: {Authorization: the-header-value}", "timeout: 500ms")})
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
	for _, c := range []struct{ name, url, want, next string }{
		{"server error", answer(500), "HTTP status 500", "receiver's log"},
		{"forbidden", answer(403), "HTTP status 403", "secret and headers"},
		{"redirect", answer(302), "HTTP status 302", "redirects are not followed"},
		{"gone", answer(410), "HTTP status 410", "remove the webhook"},
		{"hanging", hanging.URL, "timeout", "raise the webhook's timeout"},
		{"nobody there", "http://127.0.0.1:1", "connect", "its receiver runs"},
		{"not allowed", "http://[::1]:1", "address not allowed", "delivery.allowedNetworks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := command(t, "ping", "--config", pingable(t, c.url).config, "w", "--enable")
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

// TestPingEnable takes a webhook up again that is GONE, of a daemon that runs and of one that does not.
func TestPingEnable(t *testing.T) {
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
