package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/finding"
	"bluetap/internal/pgtest"

	"github.com/jackc/pgx/v5/pgconn"
)

// checkServer is a server on which check has nothing to find.
func checkServer(t *testing.T) (*pgtest.Server, *instance, string) {
	t.Helper()
	pg := pgtest.Start(t, pgtest.WithParam("max_slot_wal_keep_size", "20GB"), pgtest.WithParam("max_replication_slots",
		"3"),
		pgtest.WithParam("max_wal_senders", "3"))
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+blueschema.InsertTodoCreated())
	i := install(t, leastURL(t, pg), "", webhookYAML{id: "a", url: "https://example.com/"})
	return pg, i, grantLeast(t, pg, i)
}

// TestCheck provokes what can be found in a database, one thing at a time.
func TestCheck(t *testing.T) {
	t.Parallel()
	pg, i, setup := checkServer(t)
	if got := i.check(t); got.Errors != 0 || got.Warnings != 0 {
		t.Errorf("a fit server: %+v", got)
	}
	for _, c := range checkCases {
		t.Run(c.name, func(t *testing.T) {
			if c.code == finding.ColumnList && serverMajor(t, pg) < columnLists {
				t.Skip("the server has no column lists")
			}
			pg.Exec(t, "postgres", c.do)
			before := catalogOf(t, pg)
			got := i.check(t)
			if after := catalogOf(t, pg); after != before {
				t.Errorf("check changed the server:\n%s\nbefore:\n%s", after, before)
			}
			got.want(t, c)
			if c.severity == finding.Error && c.and&runs == 0 {
				i.refusesToRun(t)
			}
			if c.and&mends != 0 {
				i.mend(t, pg, c, got)
			}
			pg.Exec(t, "postgres", c.undo)
			if c.undo == "" {
				pg.Exec(t, "postgres", "DROP PUBLICATION bluetap;"+setup)
			}
		})
	}
	if got := i.check(t); got.Errors != 0 || got.Warnings != 0 {
		t.Errorf("after all was mended: %+v", got)
	}
}

// mend runs, as a superuser would type it, what check says is next, and looks whether there is nothing more to find.
func (i *instance) mend(t *testing.T, pg *pgtest.Server, c checkCase, r report) {
	t.Helper()
	for _, f := range r.Findings {
		if f.Code == c.code && f.Severity == c.severity {
			pg.Exec(t, "postgres", f.Next)
		}
	}
	if got := i.check(t); got.Errors > 0 || got.Warnings > 0 {
		t.Errorf("after its own mend: %+v", got)
	}
}

// check runs check --json and holds what is true of everything that it may find.
func (i *instance) check(t *testing.T) report {
	t.Helper()
	code, stdout, stderr := command(t, "check", "--config", i.config, "--json")
	var got report
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatalf("%v\n%s\n%s", err, stdout, stderr)
	}
	if want := min(got.Errors, 1); code != want {
		t.Errorf("exit code %d with %d errors", code, got.Errors)
	}
	if strings.Contains(stdout+stderr, ":right@") {
		t.Errorf("the password is in the output:\n%s%s", stdout, stderr)
	}
	codes, _ := finding.Codes()
	for _, f := range got.Findings {
		if !slices.Contains(codes, f.Code) || f.Text == "" || strings.Contains(f.Text+f.Next, "\n") {
			t.Errorf("finding %+v", f)
		}
	}
	if finding.Count(got.Findings, finding.Error) != got.Errors ||
		finding.Count(got.Findings, finding.Warning) != got.Warnings {
		t.Errorf("counts %d and %d do not fit %+v", got.Errors, got.Warnings, got.Findings)
	}
	return got
}

// refusesToRun holds that a run ends by itself, with a line that says why.
func (i *instance) refusesToRun(t *testing.T) {
	t.Helper()
	if code, _, stderr := command(t, "run", "--config", i.config); code != exitFailed || !strings.Contains(stderr,
		"\nnext: ") {
		t.Errorf("a run ends with %d:\n%s", code, stderr)
	}
}

// want looks for a case's finding.
func (r report) want(t *testing.T, c checkCase) {
	t.Helper()
	for _, f := range r.Findings {
		if f.Code == c.code && f.Severity == c.severity && f.Subject == c.subject && strings.Contains(f.Text, c.text) &&
			strings.Contains(f.Next, c.next) {
			return
		}
	}
	var found strings.Builder
	for _, f := range r.Findings {
		if f.Code == c.code || f.Severity == finding.Error {
			fmt.Fprintf(&found, "%+v\n", f)
		}
	}
	t.Errorf("no finding %+v among\n%s", c, found.String())
}

// catalogOf describes what a command that only looks must leave as it is.
func catalogOf(t *testing.T, pg *pgtest.Server) string {
	t.Helper()
	return pg.Exec(t, "postgres", `
		SELECT 'publication', * FROM pg_publication ORDER BY 1, 2;
		SELECT 'table', oid, prpubid, prrelid FROM pg_publication_rel ORDER BY 2;
		SELECT 'slot', slot_name, plugin, confirmed_flush_lsn, active FROM pg_replication_slots ORDER BY 2;
		SELECT 'role', rolname, rolsuper, rolreplication, rolbypassrls, rolconnlimit FROM pg_roles ORDER BY 2;
		SELECT 'class', relname, relacl, relreplident,
			relrowsecurity FROM pg_class WHERE relnamespace = 'public'::regnamespace
			ORDER BY 2`)
}

// TestCheckSenders has other connections use up what the server has.
func TestCheckSenders(t *testing.T) {
	t.Parallel()
	pg, i, _ := checkServer(t)
	for n, want := range []checkCase{
		{code: finding.Senders, severity: finding.OK, text: "2 of the server's WAL senders"},
		{code: finding.Senders, severity: finding.Warning, text: "the last one", next: "max_wal_senders"},
		{code: finding.Senders, severity: finding.Error, text: "none of the server's WAL senders", next: "max_wal_senders"},
	} {
		conn, err := pgconn.Connect(t.Context(), pg.URL("postgres")+"&replication=database")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		want.name = fmt.Sprint(n+1, " taken")
		i.check(t).want(t, want)
	}
}
