//go:build unix

package pgtest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"bluetap/internal/pgserver"
	"bluetap/internal/pgtest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServer(t *testing.T) {
	s := pgtest.Start(t, pgtest.WithParam("work_mem", "7MB"))
	s.CreateDB(t, `Ble "x"`)

	if got := s.Exec(t, `Ble "x"`, "CREATE TABLE a(i int, t text); INSERT INTO a VALUES (1, 'x'), (2, NULL); "+
		"SELECT * FROM a ORDER BY i;"); got != "1|x\n2|" {
		t.Errorf("Exec printed %q", got)
	}
	for name, want := range map[string]string{"wal_level": "logical", "work_mem": "7MB", "fsync": "off"} {
		if got := s.Exec(t, "postgres", "SHOW "+name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, mode := range []pgserver.Mode{pgserver.Fast, pgserver.Immediate, pgserver.Smart} {
		s.Stop(t, mode)
		if _, err := pgx.Connect(t.Context(), s.URL("postgres")); err == nil {
			t.Errorf("after a %s stop the server takes connections", mode)
		}
		s.Start(t)
		if got := s.Exec(t, `Ble "x"`, "SELECT count(*) FROM a"); got != "2" {
			t.Errorf("after a %s stop and a start there are %s rows, want 2", mode, got)
		}
	}
}

func TestPasswords(t *testing.T) {
	s := pgtest.Start(t)
	s.Exec(t, "postgres", "CREATE ROLE tap LOGIN REPLICATION PASSWORD 'right'")
	for password, state := range map[string]string{"right": "", "wrong": "28P01"} {
		for _, replication := range []string{"", "&replication=database"} {
			conn, err := pgconn.Connect(t.Context(), s.URLFor("tap", password, "postgres")+replication)
			if got := sqlState(err); got != state {
				t.Errorf("with the %s password: SQLSTATE %q, want %q (%v)", password, got, state, err)
			}
			if err == nil {
				_ = conn.Close(t.Context())
			}
		}
	}
}

func sqlState(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}

func TestOwnIdentifier(t *testing.T) {
	const query = "SELECT system_identifier FROM pg_control_system()"
	a := pgtest.Start(t).Exec(t, "postgres", query)
	b := pgtest.Start(t, pgtest.WithOwnIdentifier()).Exec(t, "postgres", query)
	if a == b {
		t.Errorf("two servers have the system identifier %s", a)
	}
}

func TestTerminateWalsenders(t *testing.T) {
	s := pgtest.Start(t)
	conn, err := pgconn.Connect(t.Context(), s.URL("postgres")+"&replication=database")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if n := s.TerminateWalsenders(t); n != 1 {
		t.Errorf("terminated %d walsenders, want 1", n)
	}
	if _, err := conn.Exec(t.Context(), "IDENTIFY_SYSTEM").ReadAll(); err == nil {
		t.Error("the connection still answers")
	}
}

func TestProxy(t *testing.T) {
	s := pgtest.Start(t)
	p := pgtest.NewProxy(t, s.Addr())
	conn, err := pgx.Connect(t.Context(), s.URLAt(p.Addr(), "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	p.Stall()
	go func() {
		_, err := conn.Exec(t.Context(), "SELECT 1")
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Fatalf("answered through a stalled proxy: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	p.Resume()
	if err := <-answered; err != nil {
		t.Errorf("after Resume: %v", err)
	}
	p.Cut()
	if _, err := conn.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("answered after Cut")
	}
	if conn, err = pgx.Connect(t.Context(), s.URLAt(p.Addr(), "postgres")); err != nil {
		t.Fatalf("connect after Cut: %v", err)
	}
	p.Close()
	if _, err := conn.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("answered after Close")
	}
}
