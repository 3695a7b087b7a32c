package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// secrets is a file with eight secrets, each of which holds the word hunter2.
const secrets = `
database: {url: 'postgres://app:hunter2a@db:5432/blue?password=hunter2b'}
state: {dir: /d}
webhooks:
- id: a
  url: https://example.com/a?token=hunter2c
  secrets: [hunter2d, hunter2e]
  headers: {B: hunter2f, A: hunter2g}
- {id: b, url: https://example.com/b, secret: hunter2h, timeout: 1s}
`

func TestRedactedShowsAllButTheSecrets(t *testing.T) {
	c, _ := mustLoad(t, secrets, nil)
	got := c.Redacted()
	if n := strings.Count(got, redacted); n != 8 {
		t.Errorf("%d times <secret>, want 8, in\n%s", n, got)
	}
	for _, want := range []string{
		"url: postgres://app:<secret>@db:5432/blue?<secret>\n", "url: https://example.com/a?<secret>\n",
		"      B: <secret>\n", "dir: /d\n", "timeout: 1s\n", "url: https://example.com/b\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "hunter2") {
		t.Errorf("a secret is in\n%s", got)
	}
}

func TestRedactedConnectionStrings(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		"host=db password=hunter2":           redacted,
		"//db=b user=a":                      redacted,
		"postgres://db/blue":                 "postgres://db/blue",
		"postgres://app@db/blue":             "postgres://app@db/blue",
		"postgres:///blue?password=hunter2":  redacted,
		"postgres://a:hunter2%40@h1,h2/blue": "postgres://a:<secret>@h1,h2/blue",
	} {
		if got := redactConn(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// wrapped holds a Secret where fmt cannot ask its methods.
type wrapped struct{ hidden Secret }

func TestNothingPrintsASecret(t *testing.T) {
	c, _ := mustLoad(t, secrets, nil)
	var logged strings.Builder
	for _, handler := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
		log := slog.New(handler)
		log.Info("x", "config", c, "hook", c.Webhooks[0], "url", c.Database.URL, "hooks", c.Webhooks)
	}
	printed := map[string]string{"slog": logged.String()}
	subjects := []any{
		c, *c, c.Database, c.Webhooks, c.Webhooks[0], &c.Webhooks[0], c.Webhooks[0].Secrets, c.Webhooks[0].Headers,
		c.Database.URL, &c.Database.URL, wrapped{c.Database.URL}, []any{c.Database.URL},
	}
	for _, subject := range subjects {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			printed[fmt.Sprintf("%T with %s", subject, format)] = fmt.Sprintf(format, subject)
		}
		asJSON, err := json.Marshal(subject)
		if err != nil {
			t.Error(err)
		}
		asYAML, err := yaml.Marshal(subject)
		if err != nil {
			t.Error(err)
		}
		printed[fmt.Sprintf("%T as JSON", subject)] = string(asJSON)
		printed[fmt.Sprintf("%T as YAML", subject)] = string(asYAML)
	}
	hex := fmt.Sprintf("%x", "hunter2")
	for how, text := range printed {
		if strings.Contains(text, "hunter2") || strings.Contains(text, hex) {
			t.Errorf("%s: %s", how, text)
		}
	}
}

func TestSecret(t *testing.T) {
	var zero Secret
	if zero.Reveal() != "" || zero.String() != redacted || NewSecret("a").Reveal() != "a" {
		t.Error("zero or revealed secret is wrong")
	}
	if !reflect.DeepEqual(NewSecret("a"), NewSecret("a")) || reflect.DeepEqual(NewSecret("a"), NewSecret("b")) {
		t.Error("reflect.DeepEqual does not compare secrets by text")
	}
}

func TestBytesArePrintedAsTheyAreWritten(t *testing.T) {
	for size, want := range map[Bytes]string{
		10 << 30: "10GiB", 1536 << 20: "1536MiB", 3 << 10: "3KiB", 1 << 50: "1024TiB", 1000: "1000B", 0: "0B",
	} {
		if got := size.String(); got != want {
			t.Errorf("%d is printed as %s, want %s", int64(size), got, want)
		}
	}
	if c := Defaults(); !strings.Contains(c.Redacted(), "maxSize: 10GiB") {
		t.Errorf("no size in\n%s", c.Redacted())
	}
}
