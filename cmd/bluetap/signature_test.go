package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
)

// verifier checks X-Signature with Node's own crypto, over the raw body and, as Blue's documentation shows it, over the
// body parsed and serialised again.
const verifier = `
const crypto = require('crypto');
const { secret, signature, body } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const sign = (text) => crypto.createHmac('sha256', secret).update(text).digest('hex');
for (const text of [body, JSON.stringify(JSON.parse(body))]) {
  if (!crypto.timingSafeEqual(Buffer.from(sign(text)), Buffer.from(signature))) {
    console.log('signature does not match');
    process.exit(1);
  }
}
console.log('verified');
`

// TestBluesDocument makes the one delivery that Blue has published: the same rows give the same document, byte for
// byte, from one INSERT.
func TestBluesDocument(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("../../mapping/testdata/todo_created.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Webhook struct {
			ID, UID, Name, CreatedByID, CreatedAt, UpdatedAt string
			URL                                              string
			Metadata                                         struct{ Events, ProjectIDs []string }
		}
	}
	if err := json.Unmarshal(want, &document); err != nil {
		t.Fatal(err)
	}
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	to := receive(t)
	w := document.Webhook
	const secret = "6f1c-a secret of Blue's kind"
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}",
		webhookYAML{id: w.ID, url: to.URL, extra: []string{
			"uid: " + w.UID, "name: " + w.Name, "secret: " + secret,
			"events: [" + strings.Join(w.Metadata.Events, ", ") + "]",
			"projectIds: [" + strings.Join(w.Metadata.ProjectIDs, ", ") + "]",
			"createdById: " + w.CreatedByID, "createdAt: " + w.CreatedAt, "updatedAt: " + w.UpdatedAt,
		}})
	i.start(t)
	pg.Exec(t, "postgres", blueschema.InsertTodoCreated())
	all := to.waitFor(t, "TODO_CREATED", func(d delivery) bool { return d.event == "TODO_CREATED" })
	got := all[len(all)-1]
	if body := strings.ReplaceAll(got.body, to.URL, w.URL); body != string(want) {
		t.Errorf("body:\n%s\nwant:\n%s", body, want)
	}
	verifyWithNode(t, secret, got)
}

func verifyWithNode(t *testing.T, secret string, d delivery) {
	t.Helper()
	input, err := json.Marshal(map[string]string{
		"secret": secret, "signature": d.header.Get("X-Signature"), "body": d.body})
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command("node", "-e", verifier)
	node.Stdin = strings.NewReader(string(input))
	out, err := node.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "verified" {
		t.Errorf("Node: %v: %s", err, out)
	}
}
