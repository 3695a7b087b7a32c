package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/finding"
	"bluetap/internal/pgtest"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// occupy reads the slot as another bluetap would, until the function it returns is called.
func occupy(t *testing.T, pg *pgtest.Server) (leave func()) {
	t.Helper()
	waitFree(t, pg)
	conn, err := pgconn.Connect(t.Context(), pg.URL("postgres")+"&replication=database")
	if err != nil {
		t.Fatal(err)
	}
	conn.Frontend().SendQuery(queryOf("START_REPLICATION SLOT bluetap LOGICAL 0/0 " +
		"(proto_version '1', publication_names 'bluetap')"))
	if err := conn.Frontend().Flush(); err != nil {
		t.Fatal(err)
	}
	for {
		message, err := conn.ReceiveMessage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, streams := message.(*pgproto3.CopyBothResponse); streams {
			break
		}
		if refused, ok := message.(*pgproto3.ErrorResponse); ok {
			t.Fatal(refused.Message)
		}
	}
	return func() {
		_ = conn.Close(context.Background())
		waitFree(t, pg)
	}
}

// TestCheckOfAState follows an installation from before its first run to a slot that is lost.
func TestCheckOfAState(t *testing.T) {
	t.Parallel()
	pg, i, _ := checkServer(t)
	fresh := checkCase{code: finding.State, severity: finding.OK, text: "there is no state yet"}
	i.check(t).want(t, fresh)
	if _, err := os.Stat(i.state); err == nil {
		t.Error("check made the state directory")
	}
	p := i.start(t)
	got := i.check(t)
	got.want(t, checkCase{code: finding.Daemon, severity: finding.OK,
		text: "a daemon runs, and streams database postgres"})
	got.want(t, checkCase{code: finding.Slot, severity: finding.OK, text: "the daemon reads it"})
	p.stop()
	got = i.check(t)
	got.want(t, checkCase{code: finding.State, severity: finding.OK, text: "the state is of this database, up to "})
	got.want(t, checkCase{code: finding.Slot, severity: finding.OK, text: "holds all that the state lacks"})
	if got.Errors+got.Warnings > 0 {
		t.Errorf("a state that can be continued: %+v", got)
	}

	leave := occupy(t, pg)
	i.check(t).want(t, checkCase{code: finding.Slot, severity: finding.Error, text: "is in use by the server process",
		next: "pg_terminate_backend"})
	leave()
	for _, c := range []checkCase{
		{name: "key", do: "ALTER TABLE todo_tags DROP CONSTRAINT todo_tags_pkey, ADD PRIMARY KEY (id, tag_id)",
			undo: "ALTER TABLE todo_tags DROP CONSTRAINT todo_tags_pkey, ADD PRIMARY KEY (id)",
			code: finding.State, severity: finding.Error,
			text: "the replica identity of the table of entity todoTag was (id) and is",
			next: "change it back"},
		{name: "publication", do: "ALTER PUBLICATION bluetap RENAME TO other",
			undo: "ALTER PUBLICATION other RENAME TO bluetap",
			code: finding.Publication, severity: finding.Error, text: "it does not exist", next: "CREATE PUBLICATION"},
		{name: "list", do: "ALTER TABLE projects ADD COLUMN todo_alias text",
			undo: "ALTER TABLE projects DROP COLUMN todo_alias",
			code: finding.Publication, severity: finding.OK, text: "sends the 17 tables"},
		{name: "ahead", do: "CREATE TABLE x (); SELECT pg_switch_wal(); " +
			"SELECT pg_replication_slot_advance('bluetap', pg_current_wal_lsn())",
			undo: "DROP TABLE x", code: finding.Slot, severity: finding.Error, text: "the slot is ahead of what is stored",
			next: "move its state directory away"},
		{name: "lost", do: "SELECT pg_drop_replication_slot('bluetap')", undo: "SELECT", code: finding.Slot,
			severity: finding.Error, text: "the slot does not exist", next: "move its state directory away"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pg.Exec(t, "postgres", c.do)
			i.check(t).want(t, c)
			if c.severity == finding.Error {
				i.refusesToRun(t)
			}
			pg.Exec(t, "postgres", c.undo)
		})
	}
}

// TestCheckOfAnotherState points the file at what the state is not of.
func TestCheckOfAnotherState(t *testing.T) {
	t.Parallel()
	pg, i, _ := checkServer(t)
	i.start(t).stop()
	url := pg.URLFor("tap", "right", "postgres")
	pg.Exec(t, "template1", "CREATE DATABASE twin TEMPLATE postgres")
	i.configure(t, strings.Replace(url, "/postgres?", "/twin?", 1), "", webhookYAML{id: "a", url: "https://example.com/"})
	i.check(t).want(t, checkCase{code: finding.State, severity: finding.Error,
		text: "not the database that the state belongs to",
		next: "point database.url at the database of the state"})
	i.configureDatabase(t, url, "slot: other", webhookYAML{id: "a", url: "https://example.com/"})
	i.check(t).want(t, checkCase{code: finding.State, severity: finding.Error,
		text: "the state belongs to slot bluetap and",
		next: "name those of the state"})

	i.configure(t, url, "", webhookYAML{id: "a", url: "https://example.com/"})
	damage("MANIFEST-*", garbage)(t, &badRun{dir: filepath.Dir(i.config)})
	i.check(t).want(t, checkCase{code: finding.State, severity: finding.Error, text: "state is damaged",
		next: "move the state directory away"})
	if err := os.RemoveAll(i.state); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(i.state, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	i.check(t).want(t, checkCase{code: finding.StateDir, severity: finding.Error, text: "is no folder",
		next: "under state.dir"})
}

// TestCheckOfAServer has servers that do not let bluetap work at all.
func TestCheckOfAServer(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t, pgtest.WithParam("wal_level", "replica"))
	url := leastURL(t, pg)
	i := install(t, url, "", webhookYAML{id: "a", url: "https://example.com/"})
	got := i.check(t)
	got.want(t, checkCase{code: finding.WALLevel, severity: finding.Error, text: "wal_level is replica",
		next: "ALTER SYSTEM SET wal_level = logical"})
	got.want(t, checkCase{code: finding.Tables, severity: finding.Error,
		text: "schema public of the database has none of Blue's",
		next: "check database.url"})
	i.configure(t, pg.URLFor("tap", "wrong", "postgres"), "", webhookYAML{id: "a", url: "https://example.com/"})
	got = i.check(t)
	got.want(t, checkCase{code: finding.Connection, severity: finding.Error, text: "password authentication failed",
		next: "check user and password"})
	i.configure(t, "postgres://tap:right@127.0.0.1:1/postgres", "", webhookYAML{id: "a", url: "https://example.com/"})
	i.check(t).want(t, checkCase{code: finding.Connection, severity: finding.Error, text: "a run would wait",
		next: "check the address"})

	pg.Exec(t, "postgres", "CREATE DATABASE odd TEMPLATE template0 ENCODING 'SQL_ASCII'")
	i.configure(t, pg.URLFor("tap", "right", "odd"), "", webhookYAML{id: "a", url: "https://example.com/"})
	i.check(t).want(t, checkCase{code: finding.Encoding, severity: finding.Warning, text: "SQL_ASCII"})
}

// TestCheckOffline looks at the file alone, whatever the server.
func TestCheckOffline(t *testing.T) {
	t.Parallel()
	i := install(t, "postgres://127.0.0.1:1/postgres", "", webhookYAML{id: "a", url: "http://example.com/"})
	code, stdout, stderr := command(t, "check", "--config", i.config, "--offline")
	want := fmt.Sprintf("warning config               %s:9: webhooks[0].url: "+
		"http sends the events unencrypted; use https\n"+
		"\n0 errors, 1 warning\n", i.config)
	if code != exitOK || stdout != want || stderr != "" {
		t.Errorf("exit code %d\n%s%s\nwant\n%s", code, stdout, stderr, want)
	}
	i.configure(t, "env:BLUETAP_NO_SUCH_VARIABLE", "", webhookYAML{id: "a", url: "https://example.com/"})
	code, stdout, stderr = command(t, "check", "--config", i.config, "--offline")
	if code != exitUsage || stdout != "" || !strings.HasPrefix(stderr, i.config+":2: database.url: ") {
		t.Errorf("a missing reference: exit code %d\n%s%s", code, stdout, stderr)
	}
	code, stdout, _ = command(t, "check", "--config", i.config, "--json")
	if code != exitUsage || !strings.HasPrefix(stdout, `{"errors":1,"warnings":0,"findings":[{"code":"config",`) {
		t.Errorf("a missing reference as JSON: exit code %d\n%s", code, stdout)
	}
}

// TestCheckWebhooks has a webhook ask for what the database does not have.
func TestCheckWebhooks(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+"ALTER TABLE todos DROP COLUMN IF EXISTS color")
	i := install(t, pg.URL("postgres"), "", webhookYAML{id: "a", url: "https://example.com/",
		extra: []string{"events: [TODO_CREATED]", `filter: {colors: ["#ff0000"]}`}})
	i.check(t).want(t, checkCase{code: finding.Webhooks, severity: finding.Error,
		subject: i.config + ":11: webhooks[0].filter.colors", text: "color"})
}
