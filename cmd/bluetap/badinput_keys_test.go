package main

import (
	"strings"
	"testing"
)

var badSections = []badCase{
	{name: "unknown section", file: badHook + "webhoks: []\n",
		want: []string{"$FILE:6: webhoks: unknown key; did you mean webhooks?"}},
	{name: "unknown key", file: badDatabase("url: postgres://db/b", "schem: x"),
		want: []string{"$FILE:4: database.schem: unknown key; did you mean schema?"}},
	{name: "unknown key in another spelling", file: badHook + "delivery:\n  max_in_flight: 1\n",
		want: []string{"$FILE:7: delivery.max_in_flight: unknown key; did you mean maxInFlight?"}},
	{name: "section of a later version", file: badHook + "control:\n  listen: 127.0.0.1:8080\n",
		want: []string{"$FILE:6: control: is not supported by this version; take it out"}},
	{name: "key of a later version", file: badHook + "delivery:\n  rateLimit: 10\n",
		want: []string{"$FILE:7: delivery.rateLimit: is not supported by this version; take it out"}},
	{name: "database missing", file: "state: {dir: state}\nwebhooks: []\n",
		want: []string{"$FILE:1: database.url: is required, as the libpq environment (PGHOST, PGSERVICE, …) " +
			"is not set either"}},
	{name: "database empty", file: "state: {dir: state}\ndatabase:\nwebhooks: []\n",
		want: []string{"$FILE:2: database.url: is required, as the libpq environment (PGHOST, PGSERVICE, …) " +
			"is not set either"}},
	{name: "state missing", file: "database: {url: postgres://db/b}\n",
		want: []string{"$FILE:1: state.dir: is required"}},
	{name: "state.dir empty", file: "database: {url: postgres://db/b}\nstate:\n  dir: ''\n",
		want: []string{"$FILE:3: state.dir: is empty"}},
	{name: "state.dir too long for the socket",
		file: "database: {url: postgres://db/b}\nstate:\n  dir: /" + strings.Repeat("x", 95) + "\n",
		want: []string{"$FILE:3: state.dir: the path of the control socket in it has 109 bytes, more than " +
			"103: choose a shorter state.dir"}},
	{name: "retention of no time", file: "database: {url: postgres://db/b}\nstate:\n  dir: a\n  retention: 0s\n",
		want: []string{"$FILE:4: state.retention: must be more than 0"}},

	{name: "database.url of another kind", file: badDatabase("url: mysql://blue:" + hush + "@db/blue"),
		want: []string{"$FILE:3: database.url: must begin with postgres:// or postgresql://"}},
	{name: "database.url garbage", file: badDatabase("url: blue " + hush),
		want: []string{`$FILE:3: database.url: cannot be parsed as ` +
			`postgres://user:password@host:5432/database or as "host=… user=… dbname=…"`}},
	{name: "database.url not encoded", file: badDatabase("url: postgres://blue:" + hush + "/%x@db/blue"),
		want: []string{"$FILE:3: database.url: cannot be parsed as " +
			"postgres://user:password@host:5432/database; in user and password, characters other than letters and " +
			"digits must be percent-encoded"}},
	{name: "database.url with a bad port", file: badDatabase("url: postgres://blue:" + hush + "@db:99999/blue"),
		want: []string{"$FILE:3: database.url: the port must be a number from 1 to 65535"}},
	{name: "database.url with a bad sslmode",
		file: badDatabase("url: postgres://blue:" + hush + "@db/blue?sslmode=always"),
		want: []string{"$FILE:3: database.url: sslmode must be one of disable, allow, prefer, require, " +
			"verify-ca, verify-full"}},
	{name: "database.url with no certificate",
		file: badDatabase("url: postgres://blue:" + hush + "@db/blue?sslmode=verify-full&sslrootcert=/none.pem"),
		want: []string{"$FILE:3: database.url: a file that the connection string or the libpq environment " +
			"names cannot be read: no such file or directory"}},
	{name: "libpq environment", file: "state: {dir: state}\nwebhooks: []\n",
		env: []string{"PGHOST=db", "PGSSLMODE=always", "PGPASSWORD=" + hush},
		want: []string{"$FILE:1: database.url: the environment variable PGSSLMODE must be one of disable, " +
			"allow, prefer, require, verify-ca, verify-full"}},
	{name: "libpq service", file: "state: {dir: state}\nwebhooks: []\n", env: []string{"PGSERVICE=none",
		"PGSERVICEFILE=$DIR/none"},
		want: []string{"$FILE:1: database.url: the service that PGSERVICE names cannot be read from the " +
			"service file (~/.pg_service.conf, or PGSERVICEFILE)"}},
	{name: "slot", file: badDatabase("url: postgres://db/b", "slot: Blue-Tap"),
		want: []string{"$FILE:4: database.slot: must be 1 to 63 of the characters a-z, 0-9 and _"}},
	{name: "publication too long", file: badDatabase("url: postgres://db/b", "publication: "+strings.Repeat("p", 64)),
		want: []string{"$FILE:4: database.publication: must be a Postgres name of up to 63 bytes"}},
	{name: "unknown entity", file: badDatabase("url: postgres://db/b", "tables: {todos: {enabled: false}}"),
		want: []string{"$FILE:4: database.tables.todos: unknown entity; did you mean todo?"}},
	{name: "column of a table", file: badDatabase("url: postgres://db/b", "tables: {todo: {columns: {title: [a]}}}"),
		want: []string{"$FILE:4: database.tables.todo.columns.title: must be a single value, not a list"}},

	{name: "timeout without unit", file: badHook + "delivery:\n  timeout: 10\n",
		want: []string{"$FILE:7: delivery.timeout: must be a duration such as 500ms, 7s, 2m or 72h"}},
	{name: "timeout of another unit", file: badHook + "delivery:\n  timeout: 10 seconds\n",
		want: []string{"$FILE:7: delivery.timeout: must be a duration such as 500ms, 7s, 2m or 72h"}},
	{name: "timeout too long", file: badHook + "delivery:\n  timeout: 1h\n",
		want: []string{"$FILE:7: delivery.timeout: must be a duration from 100ms to 5m"}},
	{name: "duration negative", file: badHook + "delivery:\n  retry: {schedule: [1s, -5s]}\n",
		want: []string{"$FILE:7: delivery.retry.schedule[1]: must be a duration from 0s to 87600h"}},
	{name: "duration in days", file: badHook + "delivery:\n  retry: {maxAge: 3d}\n",
		want: []string{"$FILE:7: delivery.retry.maxAge: must be a duration such as 500ms, 7s, 2m or 72h"}},
	{name: "concurrency zero", file: badHook + "delivery:\n  concurrency: 0\n",
		want: []string{"$FILE:7: delivery.concurrency: must be a whole number from 1 to 1024"}},
	{name: "concurrency a fraction", file: badHook + "delivery:\n  concurrency: 1.5\n",
		want: []string{"$FILE:7: delivery.concurrency: must be a whole number from 1 to 1024"}},
	{name: "number as text", file: badHook + "delivery:\n  maxInFlight: many\n",
		want: []string{"$FILE:7: delivery.maxInFlight: must be a whole number from 1 to 1000000"}},
	{name: "network without bits", file: badHook + "delivery:\n  allowedNetworks: [10.0.0.0/8, 127.0.0.1]\n",
		want: []string{"$FILE:7: delivery.allowedNetworks[1]: must be a network such as 10.0.0.0/8, " +
			"127.0.0.1/32 or fd00::/8"}},
	{name: "network not in a list", file: badHook + "delivery:\n  allowedNetworks: 127.0.0.0/8\n",
		want: []string{"$FILE:7: delivery.allowedNetworks: must be a list"}},
	{name: "network of a name", file: badHook + "delivery:\n  allowedNetworks:\n  - localhost\n",
		want: []string{"$FILE:8: delivery.allowedNetworks[0]: must be a network such as 10.0.0.0/8, " +
			"127.0.0.1/32 or fd00::/8"}},
}

var badReferences = []badCase{
	{name: "variable not set", file: badWebhook("secret: env:NO_SUCH_SECRET"),
		want: []string{"$FILE:6: webhooks[0].secret: the environment variable NO_SUCH_SECRET is not set"}},
	{name: "variable empty", file: badWebhook("secret: env:EMPTY"), env: []string{"EMPTY="},
		want: []string{"$FILE:6: webhooks[0].secret: the environment variable EMPTY is empty"}},
	{name: "variable without name", file: badWebhook("secret: 'env:'"),
		want: []string{"$FILE:6: webhooks[0].secret: env: must be followed by a variable's name"}},
	{name: "variable with a dollar", file: badWebhook("secret: env:$SECRET"),
		want: []string{"$FILE:6: webhooks[0].secret: env: must be followed by a variable's name"}},
	{name: "variable of the database", file: badDatabase("url: env:NO_SUCH_URL"),
		want: []string{"$FILE:3: database.url: the environment variable NO_SUCH_URL is not set"}},
	{name: "variable with a bad url", file: badDatabase("url: env:DB"), env: []string{"DB=blue:" + hush + "@db"},
		want: []string{`$FILE:3: database.url: cannot be parsed as ` +
			`postgres://user:password@host:5432/database or as "host=… user=… dbname=…"`}},
	{name: "variable with no number", file: badHook + "delivery:\n  concurrency: env:N\n", env: []string{"N=" + hush},
		want: []string{"$FILE:7: delivery.concurrency: must be a whole number from 1 to 1024"}},
	{name: "reference to a reference", file: badWebhook("timeout: env:LOOP"), env: []string{"LOOP=env:LOOP"},
		want: []string{"$FILE:6: webhooks[0].timeout: must be a duration such as 500ms, 7s, 2m or 72h"}},
	{name: "file missing", file: badWebhook("secret: file:/none/secret"),
		want: []string{`$FILE:6: webhooks[0].secret: the file "/none/secret" cannot be used: no such file or ` +
			`directory`}},
	{name: "file a folder", file: badWebhook("secret: file:."),
		want: []string{`$FILE:6: webhooks[0].secret: the file "." cannot be used: is a folder`}},
	{name: "file empty ", file: badWebhook("secret: file:empty"),
		prepare: func(t *testing.T, b *badRun) { t.Helper(); b.write(t, "empty", "\n") },
		want:    []string{`$FILE:6: webhooks[0].secret: the file "empty" is empty`}},
	{name: "file endless", file: badWebhook("secret: file:/dev/zero"),
		want: []string{`$FILE:6: webhooks[0].secret: the file "/dev/zero" cannot be used: is not an ordinary ` +
			`file`}},
}
