package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bluetap/internal/blueschema"
	"bluetap/internal/finding"
	"bluetap/internal/pgtest"
)

// TestCheckOfAFileBeingEdited looks beside a running daemon at a file that asks for another state than the daemon has.
func TestCheckOfAFileBeingEdited(t *testing.T) {
	t.Parallel()
	pg, i, _ := checkServer(t)
	url, webhook := pg.URLFor("tap", "right", "postgres"), webhookYAML{id: "a", url: "https://example.com/"}
	i.configureDatabase(t, url, "tables: {tag: {enabled: false}}", webhook)
	i.start(t)
	i.configure(t, url, "", webhook)
	i.check(t).want(t, checkCase{code: finding.State, severity: finding.Error,
		text: "the table of entity tag was not followed all the time", next: "database.tables.tag.enabled: false"})
	i.configureDatabase(t, url, "tables: {tag: {enabled: false}}", webhook)
	if got := i.check(t); got.Errors > 0 {
		t.Errorf("the file that the daemon runs with: %+v", got)
	}
	pg.Exec(t, "postgres", "ALTER PUBLICATION bluetap DROP TABLE todos; ALTER PUBLICATION bluetap ADD TABLE todos")
	i.check(t).want(t, checkCase{code: finding.Publication, severity: finding.Error,
		text: `table "public"."todos" was taken out of the publication and put back`, next: "move its state directory away"})
}

// TestCheckOfAStateThatCannotBeRead says nothing of the slot that would be wrong if the state were sound.
func TestCheckOfAStateThatCannotBeRead(t *testing.T) {
	t.Parallel()
	pg, i, _ := checkServer(t)
	i.start(t).stop()
	pg.Exec(t, "postgres", "ALTER ROLE tap NOREPLICATION")
	got := i.check(t)
	got.want(t, checkCase{code: finding.State, severity: finding.Warning, text: "cannot be seen"})
	for _, f := range got.Findings {
		if strings.Contains(f.Next, "drop") || strings.Contains(f.Next, "teardown") {
			t.Errorf("advice that would lose a sound slot: %+v", f)
		}
	}
	pg.Exec(t, "postgres", "ALTER ROLE tap REPLICATION")
	damage("MANIFEST-*", garbage)(t, &badRun{dir: filepath.Dir(i.config)})
	got = i.check(t)
	got.want(t, checkCase{code: finding.State, severity: finding.Error, text: "state is damaged",
		next: "move the state directory away"})
	got.want(t, checkCase{code: finding.Slot, severity: finding.OK,
		text: "whether it continues the state could not be seen"})
}

// TestCheckBeforeAPublication has roles that may make it, or may and cannot, and nothing is made.
func TestCheckBeforeAPublication(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+"CREATE DATABASE twin")
	i := install(t, pg.URL("postgres"), "", webhookYAML{id: "a", url: "https://example.com/"})
	before := catalogOf(t, pg)
	i.check(t).want(t, checkCase{code: finding.Publication, severity: finding.OK,
		text: "does not exist yet; the role may make it"})
	pg.Exec(t, "postgres", "ALTER TABLE todo_tags DROP CONSTRAINT todo_tags_pkey")
	got := i.check(t)
	got.want(t, checkCase{code: finding.Publication, severity: finding.OK, text: "the role may make it"})
	got.want(t, checkCase{code: finding.ReplicaID, severity: finding.Error, subject: "todo_tags",
		text: "no replica identity"})
	pg.Exec(t, "postgres", "ALTER TABLE todo_tags ADD PRIMARY KEY (id)")
	if after := catalogOf(t, pg); after != before {
		t.Errorf("check changed the server:\n%s\nbefore:\n%s", after, before)
	}
	pg.Exec(t, "postgres", "ALTER DATABASE postgres SET default_transaction_read_only = on")
	i.check(t).want(t, checkCase{code: finding.Publication, severity: finding.Error,
		text: "cannot be made: cannot execute"})
	pg.Exec(t, "postgres", "BEGIN READ WRITE; ALTER DATABASE postgres RESET default_transaction_read_only; COMMIT")

	pg.Exec(t, "twin", "SELECT pg_create_logical_replication_slot('bluetap', 'pgoutput')")
	i.check(t).want(t, checkCase{code: finding.Slot, severity: finding.Error,
		text: `somebody else's: it has plugin "pgoutput" and database "twin"`, next: "set database.slot"})
}

// TestCheckOfALockedTable does not wait for somebody who has locked a table and gone to lunch.
func TestCheckOfALockedTable(t *testing.T) {
	pg, i, _ := checkServer(t)
	conn := pg.Conn(t, "postgres")
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE todos IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	got := i.check(t)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("check took %s", took)
	}
	got.want(t, checkCase{code: finding.Tables, severity: finding.Error, text: "lock timeout"})
}

// TestCheckOfAHalfMadeState is of a first start that was killed: its slot, and one that merely has its name.
func TestCheckOfAHalfMadeState(t *testing.T) {
	t.Parallel()
	pg, i, _ := checkServer(t)
	conn := pg.Conn(t, "postgres")
	if _, err := conn.Exec(t.Context(),
		"BEGIN; INSERT INTO tags (id, title, project_id) SELECT 'x', 'x', id FROM projects"); err != nil {
		t.Fatal(err)
	}
	p := i.run(t)
	p.waitLog("slot creation waits for a transaction")
	p.kill()
	i.check(t).want(t, checkCase{code: finding.State, severity: finding.OK, text: "cut short"})
	if _, err := conn.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	waitFree(t, pg)
	pg.Exec(t, "postgres", "SELECT pg_create_logical_replication_slot('bluetap', 'pgoutput')")
	i.check(t).want(t, checkCase{code: finding.Slot, severity: finding.OK,
		text: "left of a first start that was cut short"})
	i.start(t)
}

// TestCheckCompanies tells of the webhooks only that get all companies' events.
func TestCheckCompanies(t *testing.T) {
	t.Parallel()
	pg, i, _ := checkServer(t)
	pg.Exec(t, "postgres", "INSERT INTO companies (id, slug, name) VALUES ('c2', 'c2', 'C2')")
	const url = "https://example.com/"
	i.configure(t, pg.URLFor("tap", "right", "postgres"), "", webhookYAML{id: "all", url: url},
		webhookYAML{id: "off", url: url, extra: []string{"enabled: false"}},
		webhookYAML{id: "company", url: url, extra: []string{"companyIds: [c2]"}},
		webhookYAML{id: "project", url: url, extra: []string{"projectIds: [p]"}},
		webhookYAML{id: "member", url: url, extra: []string{"requireMembership: true", "createdById: u"}})
	got := i.check(t)
	got.want(t, checkCase{code: finding.Companies, severity: finding.Warning, subject: "all", text: "all companies"})
	if got.Warnings != 1 {
		t.Errorf("%d warnings: %+v", got.Warnings, got)
	}
}

// TestCheckNeverPublishesWhatWouldHurt has a table without a key that the publication lacks: to put it in, as a missing
// table is mended else, would make the application's UPDATE of it fail.
func TestCheckNeverPublishesWhatWouldHurt(t *testing.T) {
	t.Parallel()
	pg, i, _ := checkServer(t)
	pg.Exec(t, "postgres", `ALTER PUBLICATION bluetap DROP TABLE todo_tags;
		ALTER TABLE todo_tags DROP CONSTRAINT todo_tags_pkey`)
	got := i.check(t)
	got.want(t, checkCase{code: finding.ReplicaID, severity: finding.Error, subject: "todo_tags",
		text: "must not be published", next: "ADD PRIMARY KEY"})
	for _, f := range got.Findings {
		if strings.Contains(f.Next, "ADD TABLE") {
			t.Errorf("a mend that hurts: %+v", f)
		}
	}
}
