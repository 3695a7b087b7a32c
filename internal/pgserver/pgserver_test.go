//go:build unix

package pgserver_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"bluetap/internal/hint"
	"bluetap/internal/pgserver"

	"github.com/jackc/pgx/v5"
)

// childEnv makes the test binary start a server, print its address and wait to be killed.
const childEnv = "BLUETAP_TEST_PGSERVER_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		os.Exit(m.Run())
	}
	s, err := pgserver.New(context.Background(), pgserver.Options{})
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString(s.Addr() + "\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func start(t *testing.T) *pgserver.Server {
	t.Helper()
	s, err := pgserver.New(t.Context(), pgserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestPsqlStopsAtTheFirstError(t *testing.T) {
	s := start(t)
	out, err := s.Psql(t.Context(), "postgres", "SELECT 'one'; SELECT 1/0; SELECT 'two';")
	if err == nil || !strings.Contains(err.Error(), "division by zero") {
		t.Errorf("error is %v, want psql's own", err)
	}
	if !strings.Contains(out, "one") || strings.Contains(out, "two") {
		t.Errorf("printed %q, want the first row only", out)
	}
}

func TestStopGivesUpWaiting(t *testing.T) {
	s := start(t)
	conn, err := pgx.Connect(t.Context(), s.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := s.Stop(ctx, pgserver.Smart); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a smart stop beside an open session returned %v", err)
	}
	select {
	case <-s.Exited():
	default:
		t.Error("the server still runs")
	}
}

func TestFindBinaries(t *testing.T) {
	found, err := pgserver.FindBinaries()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PG_BIN", found)
	if got, err := pgserver.FindBinaries(); got != found || err != nil {
		t.Errorf("with PG_BIN=%s: %s, %v", found, got, err)
	}
	t.Setenv("PG_BIN", t.TempDir())
	if _, err := pgserver.FindBinaries(); !errors.Is(err, pgserver.ErrNoBinaries) || hint.Of(err) == "" {
		t.Errorf("with an empty PG_BIN: %v, hint %q", err, hint.Of(err))
	}
}

func TestServerDiesWithItsParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux can do this")
	}
	tmp := t.TempDir()
	makeReachable(t, tmp)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childEnv+"=1", "TMPDIR="+tmp)
	child.Stderr = os.Stderr
	if _, err := child.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("read the child's address: %v", err)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	waitGone(t, strings.TrimSpace(addr))
}

// makeReachable opens the way to a test's directory for the user that the server runs as.
func makeReachable(t *testing.T, dir string) {
	t.Helper()
	for _, d := range []string{dir, dir + "/.."} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func waitGone(t *testing.T, addr string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(3 * time.Minute)
	for {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		_ = conn.Close()
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the server outlived its parent")
		}
	}
}
