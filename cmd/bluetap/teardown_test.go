package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"

	"github.com/jackc/pgx/v5/pgproto3"
)

func queryOf(sql string) *pgproto3.Query { return &pgproto3.Query{String: sql} }

// waitFree waits until nobody uses a slot.
func waitFree(t *testing.T, pg *pgtest.Server) {
	t.Helper()
	waitTrue(t, pg, "SELECT count(*) = 0 FROM pg_replication_slots WHERE active")
}

// waitTrue waits until a query says so.
func waitTrue(t *testing.T, pg *pgtest.Server, sql string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for pg.Exec(t, "postgres", sql) != "t" {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("still not true: %s", sql)
		}
	}
}

// answering runs a command that asks, and gives it an answer.
func answering(t *testing.T, answer string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = environment()
	var out, errOut strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(answer), &out, &errOut
	_ = cmd.Run()
	wantNoRace(t, errOut.String())
	return cmd.ProcessState.ExitCode(), out.String(), errOut.String()
}

// left counts what a bluetap has made on the server.
func left(t *testing.T, pg *pgtest.Server) string {
	t.Helper()
	return pg.Exec(t, "postgres", `SELECT (SELECT count(*) FROM pg_replication_slots) || ' slots, ' ||
		(SELECT count(*) FROM pg_publication) || ' publications'`)
}

// TestTeardown drops what was made only where nobody uses it and somebody has said yes.
func TestTeardown(t *testing.T) {
	t.Parallel()
	pg, i, _ := checkServer(t)
	p := i.start(t)
	refused := func(name, wantErr, answer string, args ...string) {
		t.Helper()
		code, stdout, stderr := answering(t, answer, append([]string{"teardown", "--config", i.config}, args...)...)
		if code != exitFailed || !strings.Contains(stderr, wantErr) || !strings.Contains(stderr, "next: ") {
			t.Errorf("%s: exit code %d\n%s%s", name, code, stdout, stderr)
		}
		if got := left(t, pg); got != "1 slots, 1 publications" {
			t.Fatalf("%s: %s are left", name, got)
		}
	}
	refused("beside a daemon", "a daemon is running on "+i.state, "", "--yes")
	p.stop()
	leave := occupy(t, pg)
	refused("beside another daemon", "slot bluetap is in use by the server process", "", "--yes")
	leave()
	refused("without an answer", "nothing was dropped", "")
	refused("with another answer", "nothing was dropped", "no\n")
	pg.Exec(t, "template1", "CREATE DATABASE twin TEMPLATE postgres")
	own := pg.URLFor("tap", "right", "postgres")
	i.configure(t, strings.Replace(own, "/postgres?", "/twin?", 1), "", webhookYAML{id: "a", url: "https://example.com/"})
	refused("in another database", "the slot is not the one", "", "--yes")
	i.configure(t, own, "", webhookYAML{id: "a", url: "https://example.com/"})

	// The role of least privilege may drop its slot, and the publication belongs to the one who made it.
	code, stdout, stderr := answering(t, "yes\n", "teardown", "--config", i.config)
	if code != exitFailed || !strings.Contains(stdout, "(not publication bluetap, which belongs to postgres)") ||
		!strings.Contains(stdout, "dropped slot bluetap\nthe state directory "+i.state) ||
		!strings.Contains(stderr, `next: have postgres run: DROP PUBLICATION IF EXISTS "bluetap"`) {
		t.Errorf("without owning the publication: exit code %d\n%s%s", code, stdout, stderr)
	}
	i.configure(t, pg.URL("postgres"), "", webhookYAML{id: "a", url: "https://example.com/"})
	code, stdout, stderr = answering(t, "", "teardown", "--config", i.config, "--yes")
	if code != exitOK || !strings.Contains(stdout, "dropped publication bluetap") || stderr != "" {
		t.Errorf("as the owner: exit code %d\n%s%s", code, stdout, stderr)
	}
	if got := left(t, pg); got != "0 slots, 0 publications" {
		t.Errorf("%s are left", got)
	}
	code, stdout, _ = answering(t, "", "teardown", "--config", i.config)
	if code != exitOK || !strings.Contains(stdout, "nothing to drop") {
		t.Errorf("a second time: exit code %d\n%s", code, stdout)
	}
}

// question is a teardown that waits for an answer.
type question struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	stderr strings.Builder
}

func ask(t *testing.T, i *instance) *question {
	t.Helper()
	q := &question{cmd: exec.Command(os.Args[0], "teardown", "--config", i.config)}
	q.cmd.Env = environment()
	q.cmd.Stderr = &q.stderr
	var err error
	if q.in, err = q.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	asked, err := q.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := q.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var text []byte
	for !strings.HasSuffix(string(text), "Type yes: ") {
		b := make([]byte, 100)
		n, err := asked.Read(b)
		if err != nil {
			t.Fatalf("%v after %s", err, text)
		}
		text = append(text, b[:n]...)
	}
	return q
}

// answer gives the answer and returns the exit code.
func (q *question) answer(t *testing.T, text string) int {
	t.Helper()
	if _, err := io.WriteString(q.in, text+"\n"); err != nil {
		t.Fatal(err)
	}
	_ = q.cmd.Wait()
	return q.cmd.ProcessState.ExitCode()
}

// TestTeardownAsks has things happen while somebody thinks about the answer: a daemon that is started does not get the
// state, and what has changed is not dropped unseen.
func TestTeardownAsks(t *testing.T) {
	t.Parallel()
	pg, i, _ := checkServer(t)
	i.start(t).stop()
	q := ask(t, i)
	code, _, stderr := command(t, "run", "--config", i.config)
	if code != exitFailed || !strings.Contains(stderr, "state is in use by another process (pid ") {
		t.Errorf("a run beside the question: exit code %d\n%s", code, stderr)
	}
	if code := q.answer(t, "no"); code != exitFailed || left(t, pg) != "1 slots, 1 publications" {
		t.Errorf("after no: exit code %d, %s are left", code, left(t, pg))
	}
	i.start(t).stop()
	waitFree(t, pg)
	q = ask(t, i)
	pg.Exec(t, "postgres", "SELECT pg_create_logical_replication_slot('another', 'pgoutput')")
	code = q.answer(t, "yes")
	if code != exitFailed || !strings.Contains(q.stderr.String(), "has changed meanwhile") ||
		left(t, pg) != "2 slots, 1 publications" {
		t.Errorf("after a change: exit code %d, %s are left\n%s", code, left(t, pg), q.stderr.String())
	}
}

// TestTeardownOfAnotherCluster has the state of one server and the address of another, which has all by the same names.
func TestTeardownOfAnotherCluster(t *testing.T) {
	t.Parallel()
	pg, i, _ := checkServer(t)
	i.start(t).stop()
	other := pgtest.Start(t, pgtest.WithOwnIdentifier())
	other.Exec(t, "postgres", blueschema.SQL()+`SELECT pg_create_logical_replication_slot('bluetap', 'pgoutput');
		CREATE PUBLICATION bluetap FOR ALL TABLES`)
	i.configure(t, other.URL("postgres"), "", webhookYAML{id: "a", url: "https://example.com/"})
	code, _, stderr := command(t, "teardown", "--config", i.config, "--yes")
	if code != exitFailed || !strings.Contains(stderr, "not the database that the state belongs to") ||
		left(t, other) != "1 slots, 1 publications" {
		t.Errorf("exit code %d, %s left\n%s", code, left(t, other), stderr)
	}
	// A state that this version cannot read says nothing: the slot can be dropped, but is watched first.
	i.configure(t, pg.URL("postgres"), "", webhookYAML{id: "a", url: "https://example.com/"})
	newerFormat(t, &badRun{dir: filepath.Dir(i.config)})
	code, stdout, _ := command(t, "teardown", "--config", i.config, "--yes")
	if code != exitOK || !strings.Contains(stdout, "holds no state of this slot") || left(t,
		pg) != "0 slots, 0 publications" {
		t.Errorf("of a state of a newer version: exit code %d, %s left\n%s", code, left(t, pg), stdout)
	}
}

// TestTeardownOfAnOldCopy has a copy of the state of a daemon that has gone on since: another bluetap's slot.
func TestTeardownOfAnOldCopy(t *testing.T) {
	t.Parallel() // it is watched for a while
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL())
	i := install(t, pg.URL("postgres"), "", webhookYAML{id: "a", url: "https://example.com/"})
	i.start(t).stop()
	old := install(t, pg.URL("postgres"), "", webhookYAML{id: "a", url: "https://example.com/"})
	copyState(t, old.state, i.state)
	p := i.start(t)
	pg.Exec(t, "postgres", "INSERT INTO companies (id, slug, name) VALUES ('c2', 'c2', 'C2')")
	at := pg.Exec(t, "postgres", "SELECT pg_current_wal_lsn()")
	waitTrue(t, pg, "SELECT confirmed_flush_lsn >= '"+at+"' FROM pg_replication_slots")
	pg.TerminateWalsenders(t)
	code, stdout, stderr := command(t, "teardown", "--config", old.config, "--yes")
	if code != exitFailed || !strings.Contains(stderr, "in use by the server process") ||
		left(t, pg) != "1 slots, 1 publications" {
		t.Errorf("exit code %d, %s left\n%s%s", code, left(t, pg), stdout, stderr)
	}
	p.stop()
}

// TestTeardownBesideOthers has bluetaps that are only away for a moment, or share the publication.
func TestTeardownBesideOthers(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL())
	live := install(t, pg.URL("postgres"), "", webhookYAML{id: "a", url: "https://example.com/"})
	p := live.start(t)
	lost := install(t, pg.URL("postgres"), "", webhookYAML{id: "a", url: "https://example.com/"})
	// The reading connection may be seen at once, or only when it comes back.
	pg.TerminateWalsenders(t)
	code, stdout, stderr := command(t, "teardown", "--config", lost.config, "--yes")
	if code != exitFailed || !strings.Contains(stderr, "slot bluetap is in use by the server process") ||
		left(t, pg) != "1 slots, 1 publications" {
		t.Errorf("beside a daemon that comes back: exit code %d, %s left\n%s%s", code, left(t, pg), stdout, stderr)
	}
	p.waitLog("streaming again")
	p.stop()
	waitFree(t, pg)
	pg.Exec(t, "postgres", "SELECT pg_create_logical_replication_slot('another', 'pgoutput')")
	code, stdout, stderr = command(t, "teardown", "--config", live.config, "--yes")
	if code != exitFailed || !strings.Contains(stderr, "publication bluetap is left: slot another may be read with it") ||
		left(t, pg) != "1 slots, 1 publications" {
		t.Errorf("beside another slot: exit code %d, %s left\n%s%s", code, left(t, pg), stdout, stderr)
	}
}

// TestTeardownOfALostState drops a slot for which there is no state, once it has been seen that nobody comes back to
// it.
func TestTeardownOfALostState(t *testing.T) {
	t.Parallel() // it is watched for a while
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL())
	i := install(t, pg.URL("postgres"), "", webhookYAML{id: "a", url: "https://example.com/"})
	i.start(t).stop()
	if err := os.RemoveAll(i.state); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := command(t, "teardown", "--config", i.config, "--yes")
	if code != exitOK || !strings.Contains(stdout, "holds no state of this slot") ||
		left(t, pg) != "0 slots, 0 publications" {
		t.Errorf("exit code %d, %s left\n%s%s", code, left(t, pg), stdout, stderr)
	}
	if _, err := os.Stat(i.state); err == nil {
		t.Error("teardown made a state directory")
	}
}

// TestTeardownOfAnotherSlot leaves alone what bluetap cannot have made, and what the state is not of.
func TestTeardownOfAnotherSlot(t *testing.T) {
	t.Parallel()
	pg, i, _ := checkServer(t)
	pg.Exec(t, "postgres", "SELECT pg_create_logical_replication_slot('bluetap', 'test_decoding')")
	code, _, stderr := command(t, "teardown", "--config", i.config, "--yes")
	if code != exitFailed || !strings.Contains(stderr, `(plugin "test_decoding", database "postgres")`) ||
		left(t, pg) != "1 slots, 1 publications" {
		t.Errorf("exit code %d, %s left\n%s", code, left(t, pg), stderr)
	}
	pg.Exec(t, "postgres", "SELECT pg_drop_replication_slot('bluetap')")
	i.start(t).stop()
	i.configureDatabase(t, pg.URL("postgres"), "slot: other", webhookYAML{id: "a", url: "https://example.com/"})
	pg.Exec(t, "postgres", "SELECT pg_create_logical_replication_slot('other', 'pgoutput')")
	code, _, stderr = command(t, "teardown", "--config", i.config, "--yes")
	if code != exitFailed || !strings.Contains(stderr, "the state belongs to slot bluetap") ||
		left(t, pg) != "2 slots, 1 publications" {
		t.Errorf("another slot than the state's: exit code %d, %s left\n%s", code, left(t, pg), stderr)
	}
}
