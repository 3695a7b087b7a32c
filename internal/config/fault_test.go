package config

import (
	"slices"
	"strings"
	"testing"
)

// in returns hook with a further key of its webhook on line 6.
func in(key string) string { return hook + "  " + key + "\n" }

// db is the required part with the database's further keys from line 4 on.
const db = "state: {dir: d}\ndatabase:\n  url: postgres://db/b\n"

// faultCases hold one fault each, by the section that it is in, with the line as it is printed after the file's name.
var faultCases = []struct{ name, text, want string }{
	{"unknown key", base + "webhook: []\n", "3: webhook: unknown key; did you mean webhooks?"},
	{"unknown key elsewhere", base + "delivery:\n  time: 1s\n", "4: delivery.time: unknown key"},
	{"unknown key, other case", base + "delivery:\n  max_in_flight: 1\n",
		"4: delivery.max_in_flight: unknown key; did you mean maxInFlight?"},
	{"unknown key of a webhook", in("event: []"), "6: webhooks[0].event: unknown key; did you mean events?"},
	{"no plain key", base + "[a]: 1\n", "3: a key must be a plain word"},
	{"key given twice", base + "\nstate: {dir: e}\n", "4: state: is given twice, first on line 2"},
	{"key given twice in a webhook", in("id: w1"), "6: webhooks[0].id: is given twice, first on line 4"},
	{"later: resync", base + "resync: {maxChange: 10%}\n", "3: resync: is not supported by this version; take it out"},
	{"later: control", base + "control:\n  listen: ''\n", "3: control: is not supported by this version; take it out"},
	{"later: rateLimit", base + "delivery: {rateLimit: 1}\n",
		"3: delivery.rateLimit: is not supported by this version; take it out"},
	{"size without a unit", in("maxQueue: 1000000000"),
		"6: webhooks[0].maxQueue: must be a size such as 500MiB or 10GiB"},
	{"size in other units", in("maxQueue: 1GB"), "6: webhooks[0].maxQueue: must be a size such as 500MiB or 10GiB"},
	{"size too small", "state: {dir: d, maxSize: 255MiB}\ndatabase: {url: postgres://db/b}\n",
		"1: state.maxSize: must be a size from 256MiB to 1024TiB"},
	{"size too large", in("maxQueue: 9999999999999999TiB"),
		"6: webhooks[0].maxQueue: must be a size from 1MiB to 1024TiB"},
	{"whenFull", base + "delivery: {whenFull: pausd}\n",
		"3: delivery.whenFull: must be overflow or pause; did you mean pause?"},
	{"whenFull in a webhook", in("whenFull: pause"), "6: webhooks[0].whenFull: unknown key"},
	{"later: proxy", in("proxy: http://p"), "6: webhooks[0].proxy: is not supported by this version; take it out"},

	{"not a mapping", "- a\n- b\n", "1: must be a mapping of keys to values"},
	{"text for a section", base + "delivery: fast\n", "3: delivery: must be a mapping of keys to values"},
	{"list for a section", base + "delivery: []\n", "3: delivery: must be a mapping of keys to values"},
	{"text for a list", in("events: TODO_CREATED"), "6: webhooks[0].events: must be a list"},
	{"mapping for a list", in("projectIds: {a: b}"), "6: webhooks[0].projectIds: must be a list"},
	{"list for a text", in("name: [a]"), "6: webhooks[0].name: must be a single value, not a list"},
	{"mapping for a text", in("uid: {a: b}"), "6: webhooks[0].uid: must be a single value, not a mapping"},
	{"mapping in a list", in("companyIds:\n  - a\n  - b: c"),
		"8: webhooks[0].companyIds[1]: must be a single value, not a mapping"},
	{"webhooks not a list", base + "webhooks: {id: a}\n", "3: webhooks: must be a list"},
	{"webhook not a mapping", base + "webhooks:\n- https://x\n",
		"4: webhooks[0]: must be a mapping of keys to values"},
	{"tag", in("name: !secret x"), "6: webhooks[0].name: has a tag that is not supported"},
	{"binary", in("secret: !!binary aGk="), "6: webhooks[0].secret: has a tag that is not supported"},
	{"merge of a text", in("<<: hunter2"), "6: webhooks[0]: must be a mapping of keys to values"},

	{"database.url not parsed", "state: {dir: d}\ndatabase:\n  url: hunter2\n", "3: database.url: cannot be parsed as " +
		`postgres://user:password@host:5432/database or as "host=… user=… dbname=…"`},
	{"database.url of another kind", "state: {dir: d}\ndatabase:\n  url: mysql://a:hunter2@b/c\n",
		"3: database.url: must begin with postgres:// or postgresql://"},
	{"database.url unescaped", "state: {dir: d}\ndatabase:\n  url: postgres://a:hunter2/x@b/c\n",
		"3: database.url: cannot be parsed as postgres://user:password@host:5432/database; " +
			"in user and password, characters other than letters and digits must be percent-encoded"},
	{"database.url with another sslmode", "state: {dir: d}\ndatabase:\n  url: postgres://a:hunter2@b/c?sslmode=always\n",
		"3: database.url: sslmode must be one of disable, allow, prefer, require, verify-ca, verify-full"},
	{"database.url with a bad port", "state: {dir: d}\ndatabase:\n  url: postgres://a:hunter2@b:5432,c:99999/d\n",
		"3: database.url: the port must be a number from 1 to 65535"},
	{"database.url names no file", "state: {dir: d}\ndatabase:\n  url: postgres://a:hunter2@b/c?" +
		"sslmode=verify-full&sslrootcert=/none\n",
		"3: database.url: a file that the connection string or the libpq environment names cannot be read: " +
			"no such file or directory"},
	{"database.url a list", "state: {dir: d}\ndatabase:\n  url: [a]\n",
		"3: database.url: must be a single value, not a list"},
	{"database absent", "state: {dir: d}\n",
		"1: database.url: is required, as the libpq environment (PGHOST, PGSERVICE, …) is not set either"},
	{"database.url absent", "state: {dir: d}\ndatabase:\n  slot: a\n",
		"2: database.url: is required, as the libpq environment (PGHOST, PGSERVICE, …) is not set either"},
	{"database.url empty", "state: {dir: d}\ndatabase:\n  slot: a\n  url: ''\n",
		"4: database.url: is required, as the libpq environment (PGHOST, PGSERVICE, …) is not set either"},
	{"database.url null", "state: {dir: d}\ndatabase:\n  slot: a\n  url:\n\n",
		"4: database.url: is required, as the libpq environment (PGHOST, PGSERVICE, …) is not set either"},
	{"slot", db + "  slot: Blue-Tap\n",
		"4: database.slot: must be 1 to 63 of the characters a-z, 0-9 and _"},
	{"slot too long", db + "  slot: " + strings.Repeat("a", 64) + "\n",
		"4: database.slot: must be 1 to 63 of the characters a-z, 0-9 and _"},
	{"slot empty", db + "  slot: ''\n", "4: database.slot: is empty"},
	{"schema empty", db + "  schema:\n", "4: database.schema: has no value"},
	{"publication too long", db + "  publication: " + strings.Repeat("ä", 32) + "\n",
		"4: database.publication: must be a Postgres name of up to 63 bytes"},
	{"entity", db + "  tables:\n    todo_list: {}\n",
		"5: database.tables.todo_list: unknown entity; did you mean todoList?"},
	{"table key", db + "  tables:\n    tag: {name: a}\n",
		"5: database.tables.tag.name: unknown key"},
	{"column", db + "  tables:\n    tag: {columns: {projectId: ''}}\n",
		"5: database.tables.tag.columns.projectId: is empty"},
	{"omit", db + "  tables:\n    tag: {omit: note}\n",
		"5: database.tables.tag.omit: must be a list"},
	{"state absent", "database: {url: postgres://db/b}\n", "1: state.dir: is required"},
	{"state.dir absent", "database: {url: postgres://db/b}\nstate:\n  retention: 1h\n", "2: state.dir: is required"},
	{"state.dir null", "database: {url: postgres://db/b}\nstate:\n  retention: 1h\n  dir:\n",
		"4: state.dir: has no value"},
	{"state.retention 0", "database: {url: postgres://db/b}\nstate:\n  dir: d\n  retention: 0s\n",
		"4: state.retention: must be more than 0"},
	{"state.retention negative", "database: {url: postgres://db/b}\nstate:\n  dir: d\n  retention: -1h\n",
		"4: state.retention: must be a duration from 0s to 87600h"},

	{"maxInFlight 0", base + "delivery:\n  maxInFlight: 0\n",
		"4: delivery.maxInFlight: must be a whole number from 1 to 1000000"},
	{"maxInFlight text", base + "delivery:\n  maxInFlight: '5'\n",
		"4: delivery.maxInFlight: must be a whole number from 1 to 1000000"},
	{"network", base + "delivery:\n  allowedNetworks:\n  - 10.0.0.0/8\n  - 127.0.0.1\n",
		"6: delivery.allowedNetworks[1]: must be a network such as 10.0.0.0/8, 127.0.0.1/32 or fd00::/8"},
	{"timeout without unit", base + "delivery:\n  timeout: 7\n",
		"4: delivery.timeout: must be a duration such as 500ms, 7s, 2m or 72h"},
	{"timeout too short", base + "delivery:\n  timeout: 99ms\n",
		"4: delivery.timeout: must be a duration from 100ms to 5m"},
	{"timeout too long", in("timeout: 301s"), "6: webhooks[0].timeout: must be a duration from 100ms to 5m"},
	{"concurrency", in("concurrency: 1025"), "6: webhooks[0].concurrency: must be a whole number from 1 to 1024"},
	{"concurrency a fraction", in("concurrency: 1.5"),
		"6: webhooks[0].concurrency: must be a whole number from 1 to 1024"},
	{"schedule null", in("retry:\n    schedule:\n"),
		"7: webhooks[0].retry.schedule: has no value; [] is a single attempt"},
	{"schedule too long", in("retry: {schedule: [" + strings.Repeat("1s,", 51) + "]}"),
		"6: webhooks[0].retry.schedule: must have at most 50 entries"},
	{"schedule negative", in("retry:\n    schedule:\n    - 1s\n    - -1s\n"),
		"9: webhooks[0].retry.schedule[1]: must be a duration from 0s to 87600h"},
	{"maxAge", base + "delivery:\n  retry: {maxAge: 0s}\n", "4: delivery.retry.maxAge: must be more than 0"},
	{"deadLetterRetention", in("deadLetterRetention: 30d"),
		"6: webhooks[0].deadLetterRetention: must be a duration such as 500ms, 7s, 2m or 72h"},
}

func TestFaults(t *testing.T) {
	for _, test := range slices.Concat(faultCases, webhookFaultCases, filterFaultCases, syntaxFaultCases) {
		t.Run(test.name, func(t *testing.T) {
			c, _, _, err := load(t, test.text, map[string]string{"EMPTY": "", "HUNTER": "hunter2("})
			if err == nil {
				t.Fatalf("loaded, want %s", test.want)
			}
			if got := faultLines(t, err); c != nil || !slices.Equal(got, []string{test.want}) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), test.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a secret is in %v", err)
			}
		})
	}
}

func TestAllFaultsAtOnceInTheOrderOfLines(t *testing.T) {
	_, _, _, err := load(t, `
webhooks:
- url: ftp://example.com
  id: a b
  concurrency: many
- {id: c, url: https://example.com, events: [TODO_CREATE, TAG_DELETED]}
delivery:
  timeout: 1
extra: 1
`, nil)
	want := []string{
		"2: database.url: is required, as the libpq environment (PGHOST, PGSERVICE, …) is not set either",
		"2: state.dir: is required",
		"3: webhooks[0].url: must be an absolute URL such as https://example.com/hooks",
		"4: webhooks[0].id: must be 1 to 200 characters without spaces and control characters",
		"5: webhooks[0].concurrency: must be a whole number from 1 to 1024",
		"6: webhooks[1].events[0]: unknown event; did you mean TODO_CREATED?",
		"8: delivery.timeout: must be a duration such as 500ms, 7s, 2m or 72h",
		"9: extra: unknown key",
	}
	if got := faultLines(t, err); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
