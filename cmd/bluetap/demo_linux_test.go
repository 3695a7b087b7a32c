package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDemoInterrupted sends a Ctrl-C in the middle of the day. The demo is held there: it writes to a pipe that takes
// less than the day has to say, and nobody reads on.
func TestDemoInterrupted(t *testing.T) {
	tmp := demoDir(t)
	g := &gate{open: make(chan struct{})}
	p := startDemo(t, func(stdout *os.File) io.Reader {
		shrink(t, stdout)
		g.lines = bufio.NewReaderSize(stdout, 16)
		return g
	}, "demo")
	p.waitLine("✓$")
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	interrupted := time.Now()
	close(g.open)
	if code := p.wait(); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	// Requests under way are let go, instead of waited for until they time out after 7 s.
	if took := time.Since(interrupted); took > 6*time.Second {
		t.Errorf("it ended after %s", took)
	}
	if got := fmt.Sprint(p.cmd.Stderr); got != "bluetap: interrupted before the end of the day\n" {
		t.Errorf("stderr %q", got)
	}
	printed := strings.Join(p.log(), "\n")
	if strings.Contains(printed, "DELIVERED") {
		t.Error("a table of half a day")
	}
	wantNothingLeft(t, tmp, serverIn(t, printed))
}

// TestDemoPipeClosed stops reading, as head(1) does.
func TestDemoPipeClosed(t *testing.T) {
	tmp := demoDir(t)
	p := startDemo(t, func(stdout *os.File) io.Reader {
		first, err := bufio.NewReaderSize(stdout, 16).ReadString('\n')
		if err := stdout.Close(); err != nil {
			t.Error(err)
		}
		if err != nil {
			t.Error(err)
		}
		return strings.NewReader(first)
	}, "demo")
	if code := p.wait(); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	wantNothingLeft(t, tmp, "")
}

// shrink makes a pipe hold one page (fcntl(2), F_SETPIPE_SZ).
func shrink(t *testing.T, pipe *os.File) {
	t.Helper()
	const setPipeSize = 1031
	raw, err := pipe.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed syscall.Errno
	err = raw.Control(func(fd uintptr) { _, _, failed = syscall.Syscall(syscall.SYS_FCNTL, fd, setPipeSize, 4096) })
	if err != nil || failed != 0 {
		t.Fatal(err, failed)
	}
}

// gate lets lines through up to the first delivery, and the rest when it is opened.
type gate struct {
	lines *bufio.Reader
	rest  string
	shut  bool
	open  chan struct{}
}

func (g *gate) Read(b []byte) (int, error) {
	var err error
	if g.rest == "" {
		if g.shut {
			<-g.open
		}
		g.rest, err = g.lines.ReadString('\n')
		g.shut = g.shut || strings.Contains(g.rest, "✓")
	}
	n := copy(b, g.rest)
	g.rest = g.rest[n:]
	return n, err
}
