package config

import (
	"errors"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// marker is the text that every variable holds: no message may repeat it.
const marker = "postgres://app:Tr0ub4dor@db/blue"

// FuzzLoad holds, for any file: no panic; a Config or an error, not both; each line of an error names file and line;
// what came through a reference is in no message; and Redacted does not depend on what the secrets are.
func FuzzLoad(f *testing.F) {
	seed(f)
	folder := f.TempDir()
	line := regexp.MustCompile(`^x\.yaml:[1-9][0-9]*: [^\x00-\x1f]+$`)
	options := testOptions(nil)
	options.Env = func(name string) (string, bool) { return marker, name != "NOT_SET" }
	f.Fuzz(func(t *testing.T, data []byte) {
		c, warnings, err := parse(data, &reading{file: "x.yaml", folder: folder, opts: options})
		var faults *Faults
		if (c == nil) != errors.As(err, &faults) {
			t.Fatalf("config %v and error %v", c, err)
		}
		if faults == nil {
			faults = &Faults{}
		}
		for _, fault := range slices.Concat(faults.List, warnings) {
			if s := fault.String(); !line.MatchString(s) || strings.Contains(s, "Tr0ub4dor") {
				t.Errorf("message %q", s)
			}
		}
		if c == nil {
			return
		}
		before := c.Redacted()
		replaceSecrets(c)
		if after := c.Redacted(); before != after {
			t.Errorf("Redacted depends on secrets:\n%s\n%s", before, after)
		}
	})
}

func seed(f *testing.F) {
	f.Helper()
	for _, test := range slices.Concat(faultCases, webhookFaultCases, syntaxFaultCases) {
		f.Add([]byte(test.text))
	}
	example, err := os.ReadFile(exampleFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Add([]byte(switchedOff.ReplaceAllString(string(example), "$1$2")))
	f.Add([]byte(secrets))
	f.Add([]byte(base + "webhooks:\n- &a {id: a, url: 'env:U', <<: [*a, {secret: env:S}]}\n"))
}

// replaceSecrets gives c other secrets than it has.
func replaceSecrets(c *Config) {
	other := func(s Secret) Secret { return NewSecret(s.Reveal() + "x") }
	if text := c.Database.URL.Reveal(); text != "" && !strings.Contains(text, "://") {
		c.Database.URL = other(c.Database.URL)
	}
	for i := range c.Webhooks {
		w := &c.Webhooks[i]
		for j := range w.Secrets {
			w.Secrets[j] = other(w.Secrets[j])
		}
		for name := range maps.Keys(w.Headers) {
			w.Headers[name] = other(w.Headers[name])
		}
		if w.URL.RawQuery != "" {
			w.URL.RawQuery += "x"
		}
	}
}
