//go:build unix

package soak

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testRequest is a request as it must be.
type testRequest struct {
	path   string
	header http.Header
	body   string
}

func (r *testRequest) set(name, value string) { r.header.Set(name, value) }

// sign signs what is there.
func (r *testRequest) sign() {
	r.set("X-Signature", hex.EncodeToString(mac([]byte(r.body))))
	r.set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(
		mac([]byte(r.header.Get("webhook-id")+"."+r.header.Get("webhook-timestamp")+"."), []byte(r.body))))
}

func (r *testRequest) replace(old, new string) {
	r.body = strings.Replace(r.body, old, new, 1)
	r.sign()
}

func newTestReceiver() *receiver {
	r := &receiver{url: "http://127.0.0.1:1", hooks: map[string]*hook{}, values: map[[32]byte]*[]byte{}}
	for _, h := range newHooks() {
		h.setURL(r.url + "/" + h.id)
		r.hooks[h.id] = h
	}
	return r
}

func newTestRequest(r *receiver) *testRequest {
	request := &testRequest{path: "few", header: http.Header{}, body: `{"event":"TODO_NAME_CHANGED"` +
		r.hooks["few"].head + `"previousValue":{"id":"t"},"currentValue":{"id":"t"}}`}
	for name, value := range map[string]string{"webhook-id": "evt_0123abcd_0000000000001234_0123456789ab",
		"webhook-timestamp": "1700000000", "bluetap-event": "TODO_NAME_CHANGED", "bluetap-attempt": "1",
		"bluetap-committed-at": "2026-01-01T00:00:00.000001Z", "Content-Type": "application/json"} {
		request.set(name, value)
	}
	request.sign()
	return request
}

// TestRequests lets the receiver see a request with each thing wrong that can be told without the truth.
func TestRequests(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(r *testRequest)
		want  string
	}{
		"faultless":    {func(*testRequest) {}, ""},
		"another hook": {func(r *testRequest) { r.path = "healthy" }, "event and webhook"},
		"no hook":      {func(r *testRequest) { r.path = "elsewhere" }, "no such webhook"},
		"another event in the body": {func(r *testRequest) { r.replace("TODO_NAME_CHANGED", "TODO_DELETED") },
			"event and webhook"},
		"another hook in the body": {func(r *testRequest) { r.replace(`"id":"few"`, `"id":"healthy"`) }, "event and webhook"},
		"a secret in the body":     {func(r *testRequest) { r.replace(`"secret":""`, `"secret":"x"`) }, "event and webhook"},
		"another status":           {func(r *testRequest) { r.replace("HEALTHY", "UNHEALTHY") }, "event and webhook"},
		"changed after signing":    {func(r *testRequest) { r.body += " " }, "X-Signature"},
		"no signature":             {func(r *testRequest) { r.header.Del("X-Signature") }, "X-Signature"},
		"no second signature":      {func(r *testRequest) { r.header.Del("webhook-signature") }, "webhook-signature"},
		"another time signed":      {func(r *testRequest) { r.set("webhook-timestamp", "1700000001") }, "webhook-signature"},
		"no time": {func(r *testRequest) { r.set("webhook-timestamp", "now"); r.sign() },
			"webhook-timestamp"},
		"epoch too short": {func(r *testRequest) { r.set("webhook-id", "evt_0123_0000000000001234_0123456789ab"); r.sign() },
			"webhook-id"},
		"hash too short": {func(r *testRequest) { r.set("webhook-id", "evt_0123abcd_0000000000001234_0123"); r.sign() },
			"webhook-id"},
		"no attempt":        {func(r *testRequest) { r.set("bluetap-attempt", "0") }, "bluetap-attempt"},
		"commit in seconds": {func(r *testRequest) { r.set("bluetap-committed-at", "2026-01-01T00:00:00Z") }, "committed-at"},
		"no type":           {func(r *testRequest) { r.header.Del("Content-Type") }, "Content-Type"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newTestReceiver()
			request := newTestRequest(r)
			test.spoil(request)
			body := []byte(request.body)
			r.enter(request.path, readRequest(request.header, body), body, request.header)
			got, wrong := r.take()
			if said := strings.Join(wrong, ", "); (test.want == "") != (len(got["few"]) == 1) ||
				!strings.Contains(said, test.want) {
				t.Errorf("%d arrivals, said %q, want %q", len(got["few"]), said, test.want)
			}
		})
	}
}

// TestLate lets a run see what comes after all was at rest.
func TestLate(t *testing.T) {
	r := &run{Options: Options{Dir: t.TempDir()}, stage: &stage{receiver: newTestReceiver()}}
	if err := r.late(); err != nil || len(r.told) > 0 {
		t.Fatalf("nothing came, said %v, %v", r.told, err)
	}
	request := newTestRequest(r.stage.receiver)
	body := []byte(request.body)
	r.stage.receiver.enter("few", readRequest(request.header, body), body, request.header)
	if err := r.late(); err != nil || len(r.told) != 1 || !strings.Contains(r.told[0], "when all had been delivered") {
		t.Errorf("said %v, %v", r.told, err)
	}
}

// TestDivergences lets a run see the log of a daemon that is gone.
func TestDivergences(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	const fine, diverged = `{"msg":"streaming"}` + "\n", `{"msg":"mirror and stream diverge","table":"todos"}` + "\n"
	var from int64
	for _, part := range []struct {
		log  string
		want int
	}{{fine, 0}, {diverged[:20], 0}, {diverged[20:] + fine, 1}, {fine, 0}, {diverged + diverged, 2}} {
		log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := log.WriteString(part.log); err != nil {
			t.Fatal(err)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		lines, end, err := divergences(path, from)
		if err != nil || len(lines) != part.want {
			t.Errorf("after %q: %v, %v, want %d", part.log, lines, err, part.want)
		}
		from = end
	}
}
