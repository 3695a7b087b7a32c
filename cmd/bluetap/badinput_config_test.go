package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"bluetap/internal/racetest"
)

// badBase is a good configuration up to its webhooks; badHook has one, whose further keys follow on line 6.
const (
	badBase = "database: {url: 'postgres://blue:" + hush + "@127.0.0.1:1/blue'}\nstate: {dir: state}\n"
	badHook = badBase + "webhooks:\n- id: w1\n  url: https://example.com/\n"
)

func badDatabase(lines ...string) string {
	return "state: {dir: state}\ndatabase:\n  " + strings.Join(lines, "\n  ") + "\n"
}

func badWebhook(lines ...string) string { return badHook + "  " + strings.Join(lines, "\n  ") + "\n" }

func badURL(url string) string { return badBase + "webhooks:\n- id: w1\n  url: " + url + "\n" }

// TestBadConfig has files, arguments and environments that make no sense: all of what is wrong is told at once, a line
// each with its place, and nothing is made on disk.
func TestBadConfig(t *testing.T) {
	racetest.SkipOneByOne(t)
	cases := slices.Concat(badFiles, badSyntax, badSections, badWebhooks, badFilters, badReferences, badArguments)
	t.Logf("%d cases", len(cases))
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBadRun(t, c)
			if c.prepare != nil {
				c.prepare(t, b)
			}
			b.code = exitUsage
			b.checkUntouched(t, func() string { return treeOf(t, b.dir) })
		})
	}
}

// instead puts something else where the configuration is.
func instead(make func(path string) error) func(t *testing.T, b *badRun) {
	return func(t *testing.T, b *badRun) {
		t.Helper()
		if err := os.Remove(b.config()); err != nil {
			t.Fatal(err)
		}
		if err := make(b.config()); err != nil {
			t.Fatal(err)
		}
	}
}

// badFiles are files that cannot be read at all.
var badFiles = []badCase{
	{name: "no file", prepare: instead(func(string) error { return nil }),
		want: []string{"$FILE:1: cannot be read: no such file or directory"}},
	{name: "folder as file", prepare: instead(func(path string) error { return os.Mkdir(path, 0o700) }),
		want: []string{"$FILE:1: cannot be read: is a folder"}},
	{name: "pipe as file", prepare: instead(func(path string) error { return syscall.Mkfifo(path, 0o600) }),
		want: []string{"$FILE:1: cannot be read: is not an ordinary file"}},
	{name: "device as file", args: []string{"run", "--config", "/dev/null"},
		want: []string{"/dev/null:1: cannot be read: is not an ordinary file"}},
	{name: "file below a file", args: []string{"run", "--config", "$FILE/bluetap.yaml"}, file: badHook,
		want: []string{"$FILE/bluetap.yaml:1: cannot be read: not a directory"}},
	{name: "link to itself", prepare: instead(func(path string) error { return os.Symlink(filepath.Base(path), path) }),
		want: []string{"$FILE:1: cannot be read: too many levels of symbolic links"}},
	{name: "file too large", file: strings.Repeat("# "+strings.Repeat("x", 1<<10)+"\n", 5<<10),
		want: []string{"$FILE:1: cannot be read: is larger than 4 MiB"}},
	{name: "file empty", file: "",
		want: []string{"$FILE:1: is empty; database, state and webhooks are what it has to say"}},
	{name: "comments only", file: "# database: {url: env:DATABASE_URL}\n\n# state:\n",
		want: []string{"$FILE:1: is empty; database, state and webhooks are what it has to say"}},
}

// badSyntax are files that are no YAML, or more than one.
var badSyntax = []badCase{
	{name: "latin-1", file: badWebhook("name: caf\xe9"),
		want: []string{"$FILE:6: is not UTF-8: save the file in that encoding"}},
	{name: "UTF-16", file: "\xff\xfed\x00a\x00t\x00a\x00",
		want: []string{"$FILE:1: is not UTF-8: save the file in that encoding"}},
	{name: "byte-order mark", file: "\ufeff" + badWebhook("nam: a"),
		want: []string{"$FILE:6: webhooks[0].nam: unknown key; did you mean name?"}},
	{name: "line ends of DOS", file: strings.ReplaceAll(badWebhook("nam: a"), "\n", "\r\n"),
		want: []string{"$FILE:6: webhooks[0].nam: unknown key; did you mean name?"}},
	{name: "tab", file: badHook + "\tname: a\n",
		want: []string{"$FILE:6: not valid YAML: indented with a tab; YAML takes spaces only"}},
	{name: "quote not closed", file: badWebhook(`name: "a`, "secret: "+hush),
		want: []string{"$FILE:6: not valid YAML: found unexpected end of stream (is a quote not closed?)"}},
	{name: "colon in a value", file: badWebhook("name: a: b"),
		want: []string{"$FILE:6: not valid YAML: mapping values are not allowed in this context (a value " +
			"with a colon and a space in it has to be quoted)"}},
	{name: "no colon", file: badBase + "webhooks\n",
		want: []string{"$FILE:3: not valid YAML: could not find expected ':'"}},
	{name: "indented too little", file: badHook + " name: a\n",
		want: []string{"$FILE:6: not valid YAML: did not find expected key (is the line indented as its " +
			"neighbours are?)"}},
	{name: "key twice", file: badWebhook("id: w2"),
		want: []string{"$FILE:6: webhooks[0].id: is given twice, first on line 4"}},
	{name: "section twice", file: badHook + "state: {dir: other}\n",
		want: []string{"$FILE:6: state: is given twice, first on line 2"}},
	{name: "two documents", file: badHook + "---\n" + badHook,
		want: []string{"$FILE:6: a second document begins here; one file holds one"}},
	{name: "value that begins with a star", file: badWebhook("secret: *" + hush),
		want: []string{"$FILE:6: not valid YAML: unknown anchor (a value that begins with * has to be quoted)"}},
	{name: "anchor merged into itself", file: badBase + "delivery: &d {<<: *d}\nwebhooks: []\n",
		want: []string{"$FILE:3: delivery: is merged more than 16 deep"}},
	{name: "list instead of mapping", file: "- database\n- state\n",
		want: []string{"$FILE:1: must be a mapping of keys to values"}},
	{name: "text instead of mapping", file: "database\n",
		want: []string{"$FILE:1: must be a mapping of keys to values"}},
	{name: "tag of another language", file: badWebhook("name: !!python/object:os.system a"),
		want: []string{"$FILE:6: webhooks[0].name: has a tag that is not supported"}},
}

var badArguments = []badCase{
	{name: "no command", args: []string{},
		want: []string{"bluetap: name a command",
			"next: bluetap --help"}},
	{name: "unknown command", args: []string{"rnu"},
		want: []string{`bluetap: unknown command "rnu" for "bluetap"`,
			"next: bluetap --help"}},
	{name: "no file named", args: []string{"run"},
		want: []string{"bluetap: --config FILE is required",
			"next: bluetap run --help"}},
	{name: "file named nothing", args: []string{"run", "--config", ""},
		want: []string{"bluetap: --config FILE is required",
			"next: bluetap run --help"}},
	{name: "unknown flag", args: []string{"run", "--confg", "$FILE"},
		want: []string{"bluetap: unknown flag: --confg",
			"next: bluetap run --help"}},
	{name: "flag without value", args: []string{"run", "--config"},
		want: []string{"bluetap: flag needs an argument: --config",
			"next: bluetap run --help"}},
	{name: "surplus argument", args: []string{"run", "$FILE"},
		want: []string{"bluetap: wrong arguments: the usage is bluetap run --config FILE",
			"next: bluetap run --help"}},
	{name: "surplus argument of version", args: []string{"version", "1"},
		want: []string{"bluetap: wrong arguments: the usage is bluetap version",
			"next: bluetap version --help"}},
	{name: "log level", args: []string{"run", "--config", "$FILE", "--log-level", "verbose"}, file: badHook,
		want: []string{`bluetap: --log-level "verbose": must be debug, info, warn or error`,
			"next: bluetap run --help"}},
	{name: "ping of no webhook", args: []string{"ping", "--config", "$FILE"}, file: badHook,
		want: []string{"bluetap: wrong arguments: the usage is bluetap ping --config FILE ID",
			"next: bluetap ping --help"}},
	{name: "ping of an unknown webhook", args: []string{"ping", "--config", "$FILE", "w2"}, file: badHook,
		want: []string{`bluetap: no webhook has the id "w2"`,
			"next: name one of the file: w1"}},
	{name: "setup of a faulty file", args: []string{"setup", "--config", "$FILE"}, file: badWebhook("secret: ''"),
		want: []string{"$FILE:6: webhooks[0].secret: is empty"}},
	{name: "setup --print of a faulty file", args: []string{"setup", "--print", "--config", "$FILE"},
		file: badWebhook("secret: ''"),
		want: []string{"$FILE:6: webhooks[0].secret: is empty"}},
	{name: "status of a faulty file", args: []string{"status", "--config", "$FILE"},
		file: badWebhook("secret: ''"),
		want: []string{"$FILE:6: webhooks[0].secret: is empty"}},
	{name: "check of a faulty file", args: []string{"check", "--config", "$FILE"}, file: badWebhook("secret: ''"),
		want: []string{"$FILE:6: webhooks[0].secret: is empty"}},
	{name: "check --offline of a faulty file", args: []string{"check", "--offline", "--config", "$FILE"},
		file: badWebhook("secret: ''"),
		want: []string{"$FILE:6: webhooks[0].secret: is empty"}},
	{name: "teardown of a faulty file", args: []string{"teardown", "--yes", "--config", "$FILE"},
		file: badWebhook("secret: ''"),
		want: []string{"$FILE:6: webhooks[0].secret: is empty"}},
	{name: "ping with a faulty file", args: []string{"ping", "--config", "$FILE", "w1"}, file: badWebhook("secret: ''"),
		want: []string{"$FILE:6: webhooks[0].secret: is empty"}},
}
