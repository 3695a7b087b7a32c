//go:build unix

package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"bluetap/internal/child"
)

// installation is a configuration of bluetap on disk, and the program that runs on it.
type installation struct {
	program, config, state, log string

	lives *lives
}

// config is the daemon's file. The schedule lasts longer than any fault does, and no clock jumps by as much as maxAge,
// so that nothing is dead-lettered. What is delivered is soon dropped, so that the state does not grow for an hour.
const config = `database:
  url: %q
state:
  dir: %q
  retention: 1m
delivery:
  allowedNetworks: [127.0.0.0/8]
  timeout: 1s
  concurrency: 16
  retry:
    schedule: [%s]
    maxAge: 2400h
webhooks:
`

func (i *installation) configure(url, receiver string, hooks []*hook) error {
	var b strings.Builder
	pauses := slices.Repeat([]string{"1s"}, 50)
	copy(pauses, []string{"100ms", "200ms", "500ms"})
	fmt.Fprintf(&b, config, url, i.state, strings.Join(pauses, ", "))
	for _, h := range hooks {
		fmt.Fprintf(&b, "  - id: %s\n    url: %s/%s\n    secret: %q\n", h.id, receiver, h.id, secret)
		for _, line := range h.yaml {
			fmt.Fprintf(&b, "    %s\n", line)
		}
	}
	if err := os.WriteFile(i.config, []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}

func (i *installation) command(args ...string) *exec.Cmd {
	cmd := exec.Command(i.program, append(args, "--config", i.config)...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "PG") })
	return cmd
}

// output runs a command of bluetap to its end.
func (i *installation) output(ctx context.Context, args ...string) ([]byte, error) {
	cmd := i.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	exited, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		return nil, fmt.Errorf("run bluetap %s: %w", args[0], err)
	}
	select {
	case <-exited:
	case <-ctx.Done():
		_ = cmd.Process.Kill()
		<-exited
	}
	if !cmd.ProcessState.Success() {
		return nil, fmt.Errorf("bluetap %s: %s: %s", args[0], cmd.ProcessState, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.Bytes(), nil
}

// status is what the history test reads of `bluetap status --json`.
type status struct {
	Running  bool
	Position struct{ Applied, Stored string }
	Webhooks []struct {
		ID            string
		Pending, Dead uint64
	}
	Divergences map[string]int
}

func (i *installation) status(ctx context.Context) (status, error) {
	out, err := i.output(ctx, "status", "--json")
	if err != nil {
		return status{}, err
	}
	var s status
	if err := json.Unmarshal(out, &s); err != nil {
		return status{}, fmt.Errorf("read status: %w", err)
	}
	return s, nil
}

// process is one run of the daemon.
type process struct {
	cmd     *exec.Cmd
	exited  <-chan struct{}
	endedAt time.Time // once exited is closed
	log     *processLog
	under   *supervisor // nil where there can be none

	// excuses is until when it may give up saying so: a failure of the disk that is over may still be on its way
	// through it.
	excuses map[string]time.Time
}

// start starts `bluetap run`; what it logs is appended to the log file.
func (i *installation) start() (*process, error) {
	file, err := os.OpenFile(i.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	cmd := i.command("run")
	p := &process{cmd: cmd, excuses: map[string]time.Time{}, log: &processLog{file: file, more: make(chan struct{})}}
	cmd.Stderr = p.log
	if p.under, err = supervise(cmd); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, errors.Join(fmt.Errorf("start bluetap: %w", err), file.Close())
	}
	gone, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		if p.under != nil {
			p.under.abandon(cmd)
		}
		return nil, errors.Join(fmt.Errorf("start bluetap: %w", err), file.Close())
	}
	exited := make(chan struct{})
	p.exited = exited
	go func() {
		<-gone
		p.endedAt = time.Now()
		close(exited)
	}()
	if p.under != nil {
		go p.under.run(cmd)
	}
	i.lives.note()
	return p, nil
}

// kill ends the process without a word, and returns when it is gone. What it has written the kernel keeps, on disk or
// not: the power cuts are those that the store's own tests play.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	p.wait()
}

func (p *process) wait() {
	<-p.exited
	if p.under != nil {
		<-p.under.ended
	}
	_ = p.log.file.Close()
}

// terminate ends the process as an operator does. An error says that it did not end, or not with 0.
func (p *process) terminate(patience time.Duration) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.kill()
		return fmt.Errorf("bluetap did not end in %s after SIGTERM", patience)
	}
	p.wait()
	if !p.cmd.ProcessState.Success() && !p.gaveUp() {
		return fmt.Errorf("bluetap ended with %s after SIGTERM", p.cmd.ProcessState)
	}
	return nil
}

// begun tells whether the process is bluetap already, as far as that can be seen.
func (p *process) begun() bool { return p.under == nil || p.under.begun.Load() }

func (p *process) ended() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// waitLog waits until the process has logged the message. It reports false if the process or ctx ended before.
func (p *process) waitLog(ctx context.Context, message string) bool {
	return p.waitLogSince(ctx, message, 0)
}

// waitLogSince is waitLog of what is logged after a mark.
func (p *process) waitLogSince(ctx context.Context, message string, from int) bool {
	for {
		said, more := p.log.saidSince(message, from)
		if said {
			return true
		}
		select {
		case <-more:
		case <-p.exited:
			said, _ := p.log.saidSince(message, from)
			return said
		case <-ctx.Done():
			return false
		}
	}
}

// processLog takes what a process logs, one JSON object a line.
type processLog struct {
	file *os.File

	mu       sync.Mutex
	rest     []byte
	messages []string
	tail     []string
	more     chan struct{} // closed and replaced at every write
}

// Write is called by one goroutine, which ends with the process.
func (l *processLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, b...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			break
		}
		l.rest = rest
		if l.tail = append(l.tail, string(line)); len(l.tail) > 10 {
			l.tail = l.tail[1:]
		}
		var record struct{ Msg string }
		if json.Unmarshal(line, &record) == nil {
			l.messages = append(l.messages, record.Msg)
		}
	}
	close(l.more)
	l.more = make(chan struct{})
	return l.file.Write(b)
}

func (l *processLog) said(message string) (bool, <-chan struct{}) { return l.saidSince(message, 0) }

// saidSince tells whether a message has come after a mark, and when to look again.
func (l *processLog) saidSince(message string, from int) (bool, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Contains(l.messages[from:], message), l.more
}

// mark returns where in the log it is now.
func (l *processLog) mark() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.messages)
}

func (l *processLog) end() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.tail, "\n")
}
