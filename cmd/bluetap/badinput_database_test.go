package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
	"bluetap/internal/racetest"
)

// badDatabaseCase is a badCase with a database of its own. Beside that one's words there are $ADDR for the server's
// host:port, $URL, and $DB, which is the name of the database, of its slot and of a role with the password hush.
type badDatabaseCase struct {
	name    string
	plain   bool   // the role is no superuser, and has no rights but those that sql gives it
	empty   bool   // the database lacks Blue's tables
	url     string // database.url; "": $URL, that of the role
	lines   string // more YAML under database, e.g. "\n  schema: blue"
	hook    string // more YAML of the webhook
	sql     string // run by a superuser in the database, before bluetap has run
	started bool   // bluetap has run and was stopped before what follows
	idle    string // if not "", it has run once more, with these lines under database
	later   string // run by a superuser in the database after that
	next    string // what database.url is by then; "": as it was
	major   int    // the server version from which on there is such a thing
	args    []string
	code    int // 0: exitFailed
	want    []string
}

// setup is the command line of a badCase, instead of run.
var setup = []string{"setup", "--config", "$FILE"}

// badServer is a server for databases of cases, with Blue's tables in a template.
type badServer struct {
	*pgtest.Server
}

func startBad(t *testing.T, options ...pgtest.Option) badServer {
	t.Helper()
	s := badServer{pgtest.Start(t, options...)}
	s.CreateDB(t, "template")
	s.Exec(t, "template", blueschema.SQL()+blueschema.SeedTodoCreated())
	return s
}

// TestBadDatabase has databases that bluetap cannot or must not read, with a role that lacks a right, and with a state
// that is not theirs. In the database nothing is changed, and no slot is made; the state tells the same as before.
func TestBadDatabase(t *testing.T) {
	t.Parallel()
	racetest.SkipOneByOne(t)
	pg := startBad(t, pgtest.WithParam("max_replication_slots", "60"), pgtest.WithParam("max_wal_senders", "40"))
	cases := slices.Concat(badRoles, badTables, badPublications, badContinuity)
	t.Logf("%d cases", len(cases))
	for n, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.major > 0 && c.major > serverMajor(t, pg.Server) {
				t.Skipf("the server is older than %d", c.major)
			}
			pg.bad(t, fmt.Sprintf("case_%d", n), c)
		})
	}
}

// bad runs one case; name is that of its database.
func (s badServer) bad(t *testing.T, name string, c badDatabaseCase) {
	t.Helper()
	b, look := s.prepare(t, name, c)
	b.checkUntouched(t, look)
}

// prepare makes the database of one case, and returns what looks at all that bluetap could change.
func (s badServer) prepare(t *testing.T, name string, c badDatabaseCase) (b *badRun, look func() string) {
	t.Helper()
	template, rights := "template", "SUPERUSER"
	if c.empty {
		template = "template1"
	}
	if c.plain {
		rights = ""
	}
	words := []string{"$DB", name, "$ADDR", s.Addr(), "$URL", s.URLFor(name, hush, name)}
	text := strings.NewReplacer(words...)
	s.Exec(t, "postgres", text.Replace("CREATE DATABASE $DB TEMPLATE "+template+
		"; CREATE ROLE $DB LOGIN PASSWORD '"+hush+"' "+rights))
	if c.sql != "" {
		s.Exec(t, name, text.Replace(c.sql))
	}
	t.Cleanup(func() {
		s.look(t, "postgres", "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE "+slotsOf(name))
	})
	file := func(url, lines string) string {
		return "state: {dir: state}\ndatabase:\n  slot: $DB\n  url: " + cmp.Or(url, "$URL") + lines +
			"\nwebhooks:\n- id: a\n  url: https://example.com/\n  secret: " + hush + c.hook + "\n"
	}
	b = newBadRun(t, badCase{file: file(c.url, c.lines), args: c.args, code: cmp.Or(c.code, exitFailed), want: c.want},
		words...)
	if c.started {
		i := instance{config: b.config(), state: b.state()}
		i.start(t).stop()
		if c.idle != "" {
			b.writeConfig(t, file(c.url, c.idle))
			i.start(t).stop()
		}
		waitUntil(t, "no walsender", func() bool {
			return count(t, s.Server, "pg_replication_slots WHERE active AND slot_name = '"+name+"'") == "0"
		})
		if c.later != "" {
			s.Exec(t, name, text.Replace(c.later))
		}
		b.writeConfig(t, file(cmp.Or(c.next, c.url), c.lines))
	}
	return b, func() string {
		state := s.stateOf(t, name) + b.told(t)
		if c.next != "" {
			state += s.look(t, "template", "SELECT to_jsonb(p) FROM pg_publication p")
		}
		return state
	}
}

// slotsOf is the condition for the slots of a case.
func slotsOf(name string) string { return "'" + name + "' IN (slot_name, database)" }

// stateOf is all that a bluetap could change in the case's database: publications, slots, rights.
func (s badServer) stateOf(t *testing.T, name string) string {
	t.Helper()
	return s.look(t, name, `
		SELECT to_jsonb(p) FROM pg_publication p;
		SELECT to_jsonb(r) FROM pg_publication_rel r ORDER BY oid;
		SELECT slot_name, plugin, database, active, confirmed_flush_lsn FROM pg_replication_slots
			WHERE `+slotsOf(name)+` ORDER BY 1;
		SELECT to_jsonb(r) FROM pg_roles r WHERE rolname = '`+name+`';
		SELECT datacl FROM pg_database WHERE datname = current_database();
		SELECT nspname, nspacl FROM pg_namespace ORDER BY 1;
		SELECT c.oid::regclass, relacl, relreplident, relpersistence, relrowsecurity, relfilenode FROM pg_class c
			WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1;
		SELECT attrelid::regclass, attname, attacl FROM pg_attribute WHERE attacl IS NOT NULL
			AND attrelid > 16384 ORDER BY 1, 2;`)
}

// look returns what the statements print. It is Exec without a psql, as most cases have nothing else to wait for.
func (s badServer) look(t *testing.T, db, sql string) string {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // a cleanup may look too
	conn, err := pgconn.Connect(ctx, s.URL(db))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, result := range results {
		for _, row := range result.Rows {
			fmt.Fprintf(&all, "%s\n", row)
		}
	}
	return all.String()
}

// stateBytes is what the state takes on disk, which changes as it is opened.
var stateBytes = regexp.MustCompile(`"state":{"bytes":\d+`)

// told is what status tells of what the state holds, or "" if it holds nothing, or is not there.
func (b *badRun) told(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(b.state()); err != nil {
		return ""
	}
	code, stdout, _ := b.exec(t, "status", "--json", "--config", "$FILE")
	if code != exitOK || strings.Contains(stdout, `"snapshot":""`) && strings.Contains(stdout, `"applied":"0/0"`) {
		return ""
	}
	return stateBytes.ReplaceAllString(stdout, "")
}
