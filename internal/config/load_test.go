package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// base is a file's required part on two lines, so that what a test adds begins on line 3.
const base = "database: {url: 'postgres://app:pw@db/blue'}\nstate: {dir: state}\n"

// hook is base and one webhook whose further keys begin on line 6.
const hook = base + "webhooks:\n- id: w1\n  url: https://example.com/hook\n"

var (
	blueEvents = []string{"TODO_CREATED", "TODO_MOVED", "TAG_DELETED"}
	extensions = []string{"TODO_UPDATED", "TODO_LIST_MOVED"}
	records    = []string{"RECORD_CREATED", "RECORD_UPDATED"}
	entities   = []string{"todo", "todoList", "tag"}
)

// testOptions knows the variables of env alone.
func testOptions(env map[string]string) Options {
	return Options{
		Env:        func(name string) (string, bool) { text, ok := env[name]; return text, ok },
		Events:     blueEvents,
		Extensions: extensions,
		Records:    records,
		Entities:   entities,
		FilterEvents: map[string][]string{
			"todoListTitles": {"TODO_CREATED", "TODO_MOVED", "TODO_UPDATED", "TODO_LIST_MOVED"},
			"assigneeIds":    {"TODO_CREATED", "TODO_MOVED", "TODO_UPDATED"},
			"fields":         {"TODO_CREATED", "TODO_MOVED", "TODO_UPDATED"},
		},
		CheckExpression: func(text string) error {
			if strings.Contains(text, "(") {
				return errors.New("a bracket is open (1:1)")
			}
			return nil
		},
	}
}

func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// load loads text as a file of its own folder and returns that folder too.
func load(t testing.TB, text string, env map[string]string) (*Config, []Warning, string, error) {
	t.Helper()
	dir := t.TempDir()
	c, warnings, err := Load(write(t, dir, "bluetap.yaml", text), testOptions(env))
	return c, warnings, dir, err
}

func mustLoad(t testing.TB, text string, env map[string]string) (*Config, string) {
	t.Helper()
	c, _, dir, err := load(t, text, env)
	if err != nil {
		t.Fatalf("load:\n%v", err)
	}
	return c, dir
}

// faultLines returns the faults of err as "line: path: what".
func faultLines(t testing.TB, err error) []string {
	t.Helper()
	var faults *Faults
	if !errors.As(err, &faults) {
		t.Fatalf("error is %T %v, want *Faults", err, err)
	}
	var lines []string
	for _, f := range faults.List {
		lines = append(lines, strings.TrimPrefix(f.String(), f.File+":"))
	}
	return lines
}

func TestDefaultsHoldWhereTheFileSaysNothing(t *testing.T) {
	c, dir := mustLoad(t, base, nil)
	want := Defaults()
	want.Database.URL = NewSecret("postgres://app:pw@db/blue")
	want.State.Dir = filepath.Join(dir, "state")
	c.Webhooks, c.Database.place = nil, place{}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got\n%s\nwant\n%s", c, want)
	}
}

func TestReferences(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "secret", "two lines\nkept\n\n")
	write(t, dir, "dos", "s3cret\r\n")
	absolute := write(t, dir, "timeout", "250ms")
	path := write(t, dir, "bluetap.yaml", `
database: {url: env:DATABASE_URL}
state: {dir: env:DIR}
delivery: {maxInFlight: env:MAX, timeout: "file:`+absolute+`"}
webhooks:
- {id: w1, url: https://example.com, secret: file:secret, enabled: env:OFF, projectIds: [env:PROJECT]}
- {id: w2, url: https://example.com, secret: file:dos, headers: {X-Token: 'env:TOKEN'}}
`)
	c, _, err := Load(path, testOptions(map[string]string{
		"DATABASE_URL": "postgres://app:p$w@db/blue", "DIR": "sub", "MAX": "3", "OFF": "false",
		"PROJECT": "env:NOT_AGAIN", "TOKEN": "tok",
	}))
	if err != nil {
		t.Fatal(err)
	}
	got := []any{
		c.Database.URL.Reveal(), c.State.Dir, c.Delivery.MaxInFlight, c.Delivery.Timeout,
		c.Webhooks[0].Secrets[0].Reveal(), c.Webhooks[0].Enabled, c.Webhooks[0].ProjectIDs[0],
		c.Webhooks[1].Secrets[0].Reveal(), c.Webhooks[1].Headers["X-Token"].Reveal(),
	}
	want := []any{
		"postgres://app:p$w@db/blue", filepath.Join(dir, "sub"), 3, 250 * time.Millisecond,
		"two lines\nkept\n", false, "env:NOT_AGAIN", "s3cret", "tok",
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("reference %d: got %v, want %v", i, got[i], want[i])
		}
	}
}

func TestWhatYAMLAllows(t *testing.T) {
	tests := map[string]string{
		"byte order mark":           "\ufeff" + base,
		"windows lines":             strings.ReplaceAll(hook, "\n", "\r\n"),
		"JSON":                      `{"database":{"url":"postgres://db/blue"},"state":{"dir":"d"},"webhooks":[]}`,
		"one document":              "---\n" + base + "...\n",
		"empty sections":            base + "delivery:\nwebhooks:\n",
		"absent texts":              hook + "  uid: null\n  name: ''\n  createdAt:\n  caFile: ''\n",
		"an alias":                  base + "webhooks:\n- {id: a, url: &u https://example.com}\n- {id: b, url: *u}\n",
		"words and numbers as text": hook + "  name: yes\n  uid: 0x1F\n  createdById: 2022-12-01\n",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) { mustLoad(t, text, nil) })
	}
}

func TestMergeKeys(t *testing.T) {
	c, _ := mustLoad(t, base+`webhooks:
- &first {id: a, url: https://example.com, timeout: 1s, concurrency: 2}
- {<<: *first, id: b, timeout: 2s}
- {id: c, <<: [{concurrency: 3}, *first]}
`, nil)
	var got []any
	for _, w := range c.Webhooks {
		got = append(got, w.ID, w.Timeout, w.Concurrency)
	}
	if want := []any{"a", time.Second, 2, "b", 2 * time.Second, 2, "c", time.Second, 3}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWarnings(t *testing.T) {
	_, warnings, _, err := load(t, base+"webhooks:\n- id: a\n  url: http://user.example/?token=t0ken\n", nil)
	if err != nil || len(warnings) != 1 || warnings[0].Line != 5 || warnings[0].Path != "webhooks[0].url" {
		t.Errorf("http: got %v, %v, want one warning on line 5", warnings, err)
	}
	c, warnings, _, err := load(t, hook+"  events: [TODO_CREATED, TODO_MOVED, TODO_CREATED]\n", nil)
	if err != nil || len(warnings) != 1 || warnings[0].Path != "webhooks[0].events[2]" ||
		!slices.Equal(c.Webhooks[0].Events, []string{"TODO_CREATED", "TODO_MOVED"}) {
		t.Errorf("event twice: got %v, %v, want one warning", warnings, err)
	}
	if _, warnings, _, _ = load(t, hook, nil); len(warnings) != 0 {
		t.Errorf("https: got %v, want no warning", warnings)
	}
	if _, warnings, _, _ = load(t, base, nil); len(warnings) != 1 || warnings[0].Path != "webhooks" {
		t.Errorf("no webhook: got %v, want one warning", warnings)
	}
}

func TestLibpqEnvironmentStandsForTheURL(t *testing.T) {
	const text = "state: {dir: d}\n"
	for name, text := range map[string]string{"absent": text, "empty": "database: {url: ''}\n" + text} {
		c, _, _, err := load(t, text, map[string]string{"PGHOST": "db"})
		if err != nil || c.Database.URL.Reveal() != "" {
			t.Errorf("%s url with PGHOST: %v", name, err)
		}
	}
	t.Setenv("PGPORT", "nonsense")
	_, _, _, err := load(t, text, map[string]string{"PGHOST": "db"})
	want := "1: database.url: the libpq environment (PGHOST, PGPORT, PGSSLMODE, …) cannot be used as it is"
	if got := faultLines(t, err); !slices.Equal(got, []string{want}) {
		t.Errorf("got %q", got)
	}
}

func TestUnreadableFiles(t *testing.T) {
	dir := t.TempDir()
	for path, what := range map[string]string{
		filepath.Join(dir, "none.yaml"): "cannot be read: no such file or directory",
		dir:                             "cannot be read: is a folder",
		os.DevNull:                      "cannot be read: is not an ordinary file",
	} {
		c, _, err := Load(path, Options{})
		if want := path + ":1: " + what; c != nil || err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	large := write(t, dir, "large.yaml", strings.Repeat("#", maxFile+1))
	if _, _, err := Load(large, Options{}); err == nil || !strings.HasSuffix(err.Error(), "is larger than 4 MiB") {
		t.Errorf("large file: got %v", err)
	}
}

func TestNilOptionsAcceptAnyName(t *testing.T) {
	text := "database: {url: postgres://db/blue, tables: {anything: {}}}\nstate: {dir: d}\n" +
		"webhooks: [{id: a, url: https://example.com, events: [ANY]}]\n"
	if _, _, err := Load(write(t, t.TempDir(), "c.yaml", text), Options{}); err != nil {
		t.Error(err)
	}
}
