package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait; nothing waits that long unless something is broken.
const patience = 3 * time.Minute

// instance is a configuration of bluetap on disk: what one installation has.
type instance struct {
	config string // the YAML file
	state  string // state.dir
}

// webhookYAML is one webhook of a test's configuration; extra holds further lines of YAML, e.g.
// "events: [TAG_CREATED]".
type webhookYAML struct {
	id, url string
	extra   []string
}

// install writes a configuration that reads url and sends to the webhooks; extra goes in front of them.
func install(t *testing.T, url, extra string, webhooks ...webhookYAML) *instance {
	t.Helper()
	dir, err := os.MkdirTemp("", "bluetap") //nolint:usetesting // a Unix socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	i := &instance{config: filepath.Join(dir, "bluetap.yaml"), state: filepath.Join(dir, "state")}
	i.configure(t, url, extra, webhooks...)
	return i
}

func (i *instance) configure(t *testing.T, url, extra string, webhooks ...webhookYAML) {
	t.Helper()
	i.write(t, url, "", extra, webhooks)
}

// configureDatabase is configure with one more line of YAML under database.
func (i *instance) configureDatabase(t *testing.T, url, line string, webhooks ...webhookYAML) {
	t.Helper()
	i.write(t, url, line, "", webhooks)
}

func (i *instance) write(t *testing.T, url, line, extra string, webhooks []webhookYAML) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "database:\n  url: %q\n  %s\nstate:\n  dir: %s\n%s\nwebhooks:\n", url, line, i.state, extra)
	for _, w := range webhooks {
		fmt.Fprintf(&b, "  - id: %s\n    url: %s\n", w.id, w.url)
		for _, line := range w.extra {
			fmt.Fprintf(&b, "    %s\n", line)
		}
	}
	if err := os.WriteFile(i.config, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// process is one run of bluetap.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and its log is read

	mu    sync.Mutex
	lines []string
	more  chan struct{} // closed and replaced at every line
	last  string        // the message of the log at which it is killed; "" for none
}

// environment makes this program bluetap. A race that is found ends it, also if nothing else would say so: by default
// the race detector lets it go on, and its exit code tells only if that is 0 otherwise. Nor does it wait a second at
// each end.
func environment() []string {
	return append(os.Environ(), asBluetap+"=1", "GORACE=halt_on_error=1 atexit_sleep_ms=0")
}

// wantNoRace looks for what the race detector has to say about a process that has ended.
func wantNoRace(t *testing.T, stderr string) {
	t.Helper()
	if strings.Contains(stderr, "WARNING: DATA RACE") {
		t.Errorf("data race:\n%s", stderr)
	}
}

// command runs bluetap with args to its end and returns its exit code and what it printed.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = environment()
	var out, errOut strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Wait()
	wantNoRace(t, errOut.String())
	return cmd.ProcessState.ExitCode(), out.String(), errOut.String()
}

// run starts `bluetap run`; it is killed when the test ends.
func (i *instance) run(t *testing.T) *process {
	t.Helper()
	return i.runAs(t, os.Args[0])
}

// runAs is run with a program of its own.
func (i *instance) runAs(t *testing.T, program string) *process {
	t.Helper()
	p := &process{t: t, done: make(chan struct{}), more: make(chan struct{})}
	p.cmd = exec.Command(program, "run", "--config", i.config)
	p.cmd.Env = environment()
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.read(stderr)
	t.Cleanup(func() {
		p.kill()
		wantNoRace(t, strings.Join(p.log(), "\n"))
		if t.Failed() {
			t.Logf("log of bluetap:\n%s", strings.Join(p.log(), "\n"))
		}
	})
	return p
}

// start starts `bluetap run` and waits until it streams.
func (i *instance) start(t *testing.T) *process {
	t.Helper()
	p := i.run(t)
	p.waitLog("streaming")
	return p
}

func (p *process) read(stderr io.Reader) {
	defer close(p.done)
	scanner := bufio.NewScanner(stderr)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		p.mu.Lock()
		p.lines = append(p.lines, scanner.Text())
		if p.last != "" && messageOf(scanner.Text()) == p.last {
			_ = p.cmd.Process.Kill()
		}
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
	}
	_ = p.cmd.Wait()
}

func (p *process) log() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.lines...)
}

func messageOf(line string) string {
	var record struct{ Msg string }
	_ = json.Unmarshal([]byte(line), &record)
	return record.Msg
}

// dieAt has the process killed as soon as it logs the message, or now if it has: before anything waits for it here.
func (p *process) dieAt(message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = message
	if slices.ContainsFunc(p.lines, func(line string) bool { return messageOf(line) == message }) {
		_ = p.cmd.Process.Kill()
	}
}

// waitLog waits for a log line with one of the messages and returns it.
func (p *process) waitLog(messages ...string) map[string]any {
	p.t.Helper()
	message := strings.Join(messages, " or ")
	timeout := time.After(patience)
	for next := 0; ; {
		ended := p.ended() // asked first: then these lines are the last
		p.mu.Lock()
		lines, more := p.lines[next:], p.more
		p.mu.Unlock()
		for _, line := range lines {
			next++
			var record map[string]any
			if slices.Contains(messages, messageOf(line)) && json.Unmarshal([]byte(line), &record) == nil {
				return record
			}
		}
		if ended {
			p.t.Fatalf("bluetap ended before it logged %q:\n%s", message, strings.Join(p.log(), "\n"))
		}
		select {
		case <-more:
		case <-p.done:
		case <-timeout:
			p.t.Fatalf("bluetap did not log %q in %s", message, patience)
		}
	}
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// kill ends the process as a power cut would, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// stop asks the process to stop and returns its exit code.
func (p *process) stop() int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	return p.wait()
}

// wait waits for the end of the process and returns its exit code.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatalf("bluetap did not end in %s", patience)
	}
	return p.cmd.ProcessState.ExitCode()
}
