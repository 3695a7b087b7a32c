package main

import (
	"strings"
	"testing"
	"time"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
)

// TestKeyRenamedWhileStopped renames a key column between changes that the daemon has not seen yet: it starts, and
// tells all of them.
func TestKeyRenamedWhileStopped(t *testing.T) {
	t.Parallel()
	s := newStage(t, "")
	tagMark.set(t, s.pg, s.to, "before", `
		INSERT INTO todos (id, title, todo_list_id) VALUES ('r', 'Tagged', 'backlog');
		INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('r-urgent', 'r', 'urgent'), ('r-later', 'r', 'later');`)
	s.stop(t)
	seen := len(s.to.deliveries()) // counted before the start: the daemon sends at once what it finds
	s.pg.Exec(t, "postgres", `
		DROP TRIGGER same ON todo_tags;
		DELETE FROM todo_tags WHERE id = 'r-urgent';
		INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('r-urgent2', 'r', 'urgent');
		ALTER TABLE todo_tags RENAME id TO ident;
		UPDATE todo_tags SET updated_at = '2026-03-03T00:00:00Z' WHERE ident = 'r-urgent2';
		DELETE FROM todo_tags WHERE ident = 'r-later';
		INSERT INTO todo_tags (ident, todo_id, tag_id) VALUES ('r-later2', 'r', 'later');
		UPDATE todo_tags SET ident = 'r-later3' WHERE ident = 'r-later2';`)
	s.daemon = s.install.start(t)
	tagMark.set(t, s.pg, s.to, "after", "DELETE FROM todo_tags WHERE ident IN ('r-urgent2', 'r-later3');")
	got := s.to.deliveries()
	var events []string
	for _, d := range got[seen : len(got)-1] {
		events = append(events, strings.TrimPrefix(d.event, "TODO_TAG_"))
	}
	if got, want := strings.Join(events, " "), "REMOVED ADDED REMOVED ADDED REMOVED REMOVED"; got != want {
		t.Errorf("tags %s, want %s", got, want)
	}
	s.stop(t)
	wantNoLog(t, s, "mirror and stream diverge")
}

// TestKeyReplacedWhileRunning makes another column the primary key, by which the mirror knows no row.
func TestKeyReplacedWhileRunning(t *testing.T) {
	t.Parallel()
	s := newStage(t, "")
	s.pg.Exec(t, "postgres", `
		ALTER TABLE todo_tags DROP CONSTRAINT todo_tags_pkey, ADD PRIMARY KEY (uid);
		INSERT INTO todos (id, title, todo_list_id) VALUES ('r', 'Tagged', 'backlog');
		INSERT INTO todo_tags (id, todo_id, tag_id) VALUES ('r-later', 'r', 'later');`)
	code := s.daemon.wait()
	wantRefused(t, code, strings.Join(s.daemon.log(), "\n"), "replica identity of table todo_tags was (id)")
	code, _, stderr := command(t, "run", "--config", s.install.config)
	wantRefused(t, code, stderr, "replica identity of the table of entity todoTag was (id) and is (uid)")
}

func wantRefused(t *testing.T, code int, stderr, why string) {
	t.Helper()
	if code != 1 || !strings.Contains(stderr, why) || !strings.Contains(stderr, "\nnext: ") {
		t.Errorf("exit code %d, stderr:\n%s\nwant 1, %q and what to do next", code, stderr, why)
	}
}

// TestBulk sends the one event of a transaction with ten thousand rows, which has them all.
func TestBulk(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, event, sql, row string }{
		{"options of a field", "CUSTOM_FIELD_UPDATED", `INSERT INTO custom_field_options (id, title, custom_field_id)
			SELECT 'o' || i, 'O', 'f' FROM generate_series(1, 10000) i;`, `"customFieldId":"f"`},
		{"todo created with its assignees", "TODO_CREATED", `BEGIN;
			INSERT INTO todos (id, title, todo_list_id) VALUES ('t', 'Crowd', 'l');
			INSERT INTO todo_users (id, todo_id, user_id) SELECT 'u' || i, 't', 'u' || i FROM generate_series(1, 10000) i;
			COMMIT;`, `"todoId":"t"`},
	}
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+`
		INSERT INTO companies (id, slug, name) VALUES ('c', 'c', 'C');
		INSERT INTO projects (id, slug, name, company_id) VALUES ('web', 'web', 'Web', 'c');
		INSERT INTO todo_lists (id, title, project_id) VALUES ('l', 'L', 'web');
		INSERT INTO custom_fields (id, name, project_id) VALUES ('f', 'F', 'web');
		INSERT INTO users (id, email) SELECT 'u' || i, 'u' || i || '@example.com' FROM generate_series(1, 10000) i;`)
	to := receive(t)
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8], concurrency: 1}",
		webhookYAML{id: "bulk", url: to.URL})
	p := i.start(t)
	for n, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			started := time.Now()
			got := tagMark.set(t, pg, to, c.event, c.sql)
			if len(got) != 1 || got[0].event != c.event {
				t.Fatalf("case %d: %d deliveries, want one %s", n, len(got), c.event)
			}
			if rows := strings.Count(got[0].body, c.row); rows != 10_000 {
				t.Errorf("the value has %d rows, want 10000", rows)
			}
			if took := time.Since(started); took > time.Minute { // a look at each row for each row takes far longer
				t.Errorf("took %s, want at most a minute", took)
			}
		})
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
}
