//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bluetap/internal/control"
	"bluetap/mapping"
)

// TestDemo holds what the demo promises: its exit code, its table, and that nothing is left behind.
func TestDemo(t *testing.T) {
	tmp := demoDir(t)
	code, stdout, stderr := command(t, "demo")
	if code != exitOK || stderr != "" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if strings.ContainsRune(stdout, '\x1b') {
		t.Error("escape codes although nobody sees them")
	}
	row := regexp.MustCompile(`(?m)^([A-Z_]+) +(\d+)/(\d+) +\d+\.\d ms +\d+\.\d ms$`)
	var events []string
	for _, match := range row.FindAllStringSubmatch(stdout, -1) {
		events = append(events, match[1])
		if match[2] != match[3] || match[2] == "0" {
			t.Errorf("row %q", match[0])
		}
	}
	if !slices.Equal(events, mapping.EventTypes()) {
		t.Errorf("the table has %v", events)
	}
	if !strings.Contains(stdout, "\n37 of 37 events, ") || !strings.Contains(stdout, " deliveries, all verified, p50 ") {
		t.Error("no total")
	}
	if t.Failed() {
		t.Log(stdout)
	}
	wantNothingLeft(t, tmp, serverIn(t, stdout))
}

// TestDemoKeep tries what the demo says can be tried, and stops it.
func TestDemoKeep(t *testing.T) {
	tmp := demoDir(t)
	p := startDemo(t, nil, "demo", "--keep")
	address := p.waitLine(`^  \S*psql (postgres://\S+)$`)[1]
	status := p.waitLine(`^  \S+ status --config (\S+)$`)
	query(t, address, p.waitLine(`^    (UPDATE .*);$`)[1])
	p.waitLine(`^  \S+ TODO_NAME_CHANGED +Landing page 2 +\d+\.\d ms ✓$`)
	if code, stdout, stderr := command(t, "status", "--config", status[1]); code != exitOK || stderr != "" {
		t.Errorf("status: exit code %d: %s %s", code, stdout, stderr)
	}
	if code := p.interrupt(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	wantNothingLeft(t, tmp, serverIn(t, strings.Join(p.log(), "\n")))
}

// TestDemoKilled leaves the demo no chance to clean up: directories stay, processes do not.
func TestDemoKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends children with their parent")
	}
	demoDir(t)
	p := startDemo(t, nil, "demo", "--keep")
	state := strings.TrimSuffix(p.waitLine(`^  \S+ status --config (\S+)$`)[1], "bluetap.yaml") + "state"
	if _, err := control.AskStatus(t.Context(), state); err != nil {
		t.Fatal(err)
	}
	p.kill()
	waitUntil(t, "end of the daemon", func() bool {
		_, err := control.AskStatus(context.Background(), state)
		return errors.Is(err, control.ErrNotRunning)
	})
	waitRefused(t, serverIn(t, strings.Join(p.log(), "\n")))
}

// TestDemoFails has no PostgreSQL.
func TestDemoFails(t *testing.T) {
	t.Setenv("PG_BIN", t.TempDir())
	tmp := demoDir(t)
	code, _, stderr := command(t, "demo")
	if code != exitFailed || !strings.Contains(stderr, "no PostgreSQL server programs found\nnext: ") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	wantNothingLeft(t, tmp, "")
}

// demoDir makes a directory for temporary files, which the user that the server runs as can reach.
func demoDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bluetap") //nolint:usetesting // a Unix socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	return dir
}

// startDemo starts bluetap with args; what it prints to stdout are its lines. through, unless nil, stands between.
func startDemo(t *testing.T, through func(stdout *os.File) io.Reader, args ...string) *process {
	t.Helper()
	p := &process{t: t, done: make(chan struct{}), more: make(chan struct{})}
	p.cmd = exec.Command(os.Args[0], args...)
	p.cmd.Env = environment()
	p.cmd.Stderr = &strings.Builder{}
	stdout, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout = w
	if err := errors.Join(p.cmd.Start(), w.Close()); err != nil {
		t.Fatal(err)
	}
	var from io.Reader = stdout
	if through != nil {
		from = through(stdout)
	}
	go p.read(from)
	t.Cleanup(func() {
		p.kill()
		_ = stdout.Close()
		wantNoRace(t, fmt.Sprint(p.cmd.Stderr))
		if t.Failed() {
			t.Logf("the demo printed:\n%s\n%s", strings.Join(p.log(), "\n"), p.cmd.Stderr)
		}
	})
	return p
}

// waitLine waits for a line that matches and returns the match.
func (p *process) waitLine(pattern string) []string {
	p.t.Helper()
	line := regexp.MustCompile(pattern)
	timeout := time.After(patience)
	for {
		ended := p.ended() // asked first: then these lines are the last
		p.mu.Lock()
		lines, more := p.lines, p.more
		p.mu.Unlock()
		for _, l := range lines {
			if match := line.FindStringSubmatch(l); match != nil {
				return match
			}
		}
		if ended {
			p.t.Fatalf("it ended before it printed %q", pattern)
		}
		select {
		case <-more:
		case <-p.done:
		case <-timeout:
			p.t.Fatalf("it did not print %q in %s", pattern, patience)
		}
	}
}

// interrupt is a Ctrl-C; it returns the exit code.
func (p *process) interrupt() int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		p.t.Fatal(err)
	}
	return p.wait()
}

// serverIn returns where the demo said that its PostgreSQL is.
func serverIn(t *testing.T, printed string) string {
	t.Helper()
	match := regexp.MustCompile(`(?m)^  PostgreSQL .* on (127\.0\.0\.1:\d+),`).FindStringSubmatch(printed)
	if match == nil {
		t.Fatalf("no server named in\n%s", printed)
	}
	return match[1]
}

// wantNothingLeft holds that the demo has removed its files and ended its server.
func wantNothingLeft(t *testing.T, tmp, server string) {
	t.Helper()
	entries, err := os.ReadDir(tmp)
	if err != nil || len(entries) > 0 {
		t.Errorf("left in the temporary directory: %v, %v", entries, err)
	}
	if server == "" {
		return
	}
	if conn, err := net.Dial("tcp", server); err == nil {
		_ = conn.Close()
		t.Error("its PostgreSQL still runs")
	}
}

func waitRefused(t *testing.T, address string) {
	t.Helper()
	waitUntil(t, "end of "+address, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
}

func query(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}
