package config

import (
	"fmt"
	"strings"
	"testing"
)

var syntaxFaultCases = []struct{ name, text, want string }{
	{"empty file", "", "1: is empty; database, state and webhooks are what it has to say"},
	{"comments only", "# nothing\n\n# here\n", "1: is empty; database, state and webhooks are what it has to say"},
	{"not UTF-8", base + "webhooks: [\xff]\n", "3: is not UTF-8: save the file in that encoding"},
	{"tab in a block", base + "delivery:\n\ttimeout: 1s\n",
		"4: not valid YAML: indented with a tab; YAML takes spaces only"},
	{"tab after a value", base + "\ttimeout: 1s\n", "3: not valid YAML: indented with a tab; YAML takes spaces only"},
	{"indented too little", hook + " name: a\n",
		"6: not valid YAML: did not find expected key (is the line indented as its neighbours are?)"},
	{"indented too little, deep down", base + "delivery:\n  retry:\n    maxAge: 1h\n    schedule:\n    - 1s\n   - 2s\n" +
		strings.Repeat("# more\n", 100),
		"8: not valid YAML: did not find expected key (is the line indented as its neighbours are?)"},
	{"indented too much", base + "  slot: a\n",
		"3: not valid YAML: did not find expected key (is the line indented as its neighbours are?)"},
	{"no colon", base + "delivery\nwebhooks: []\n", "3: not valid YAML: could not find expected ':'"},
	{"colon in a value", in("name: a: hunter2"), "6: not valid YAML: mapping values are not allowed in this context " +
		"(a value with a colon and a space in it has to be quoted)"},
	{"bracket not closed", in("events: [a,") + "- id: b\n- id: c\n",
		"6: not valid YAML: did not find expected node content (is a bracket not closed?)"},
	{"quote not closed", in(`name: "hunter2`) + strings.Repeat("- id: b\n", 100),
		"6: not valid YAML: found unexpected end of stream (is a quote not closed?)"},
	{"value that begins with @", in("name: @a"), "6: not valid YAML: found character that cannot start any token " +
		"(a value that begins with @, ` or % has to be quoted)"},
	{"value that begins with *", in("secret: *hunter2"),
		"6: not valid YAML: unknown anchor (a value that begins with * has to be quoted)"},
	{"control character", in("name: a\x01"), "6: not valid YAML: control characters are not allowed"},
	{"undefined tag", in("name: !a!b c"), "6: not valid YAML: found undefined tag handle"},
	{"two documents", base + "---\ndelivery: {}\n", "3: a second document begins here; one file holds one"},
	{"syntax in a second document", base + "---\n\n- [}\n",
		"5: not valid YAML: did not find expected node content (is a bracket not closed?)"},
}

// TestBombsAreRefused holds that neither aliases nor depth nor length lead to unbounded work.
func TestBombsAreRefused(t *testing.T) {
	layers := "a0: &a0 {k: 1}\n"
	for i := range 19 {
		layers += fmt.Sprintf("a%d: &a%d {<<: [%s]}\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 9))
	}
	wide := "x: &x [" + strings.Repeat("c,", 1000) + "]\nwebhooks:\n" + strings.Repeat("- {companyIds: *x}\n", 490)
	for name, test := range map[string]struct{ text, want string }{
		"merges":         {layers + "delivery: {<<: *a19}\n", "deep"},
		"itself":         {base + "delivery: &d {<<: [*d, *d, *d]}\n", "deep"},
		"aliases":        {base + wide + strings.Repeat("- {companyIds: *x}\n", 20), "unfolds"},
		"faults":         {base + "webhooks:\n" + strings.Repeat("- {a: 1}\n", 5000), "more faults follow"},
		"depth":          {base + "delivery: " + strings.Repeat("[", 20_000), "max depth"},
		"length and end": {strings.Repeat("# line\n", 200_000) + "a: [\n", "did not find expected node content"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, _, err := load(t, test.text, nil)
			if lines := faultLines(t, err); len(lines) > maxFaults+1 || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%d faults, no %q in the last, %s", len(lines), test.want, lines[len(lines)-1])
			}
		})
	}
}
