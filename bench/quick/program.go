//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// program is one of the programs that are compared.
type program struct {
	name string
	argv []string
}

// process is a running program.
type process struct {
	name      string
	cmd       *exec.Cmd
	streaming chan struct{} // closed when it has said that it streams
	exited    chan struct{} // closed when it has ended and its output is read
	tail      []string      // the end of its log; to be read when exited is closed
}

// usage is what a process has taken in all.
type usage struct {
	cpu time.Duration
	rss int64 // the highest, bytes
}

// start starts the program; it is killed when ctx ends. The caller must stop it.
func (p program) start(ctx context.Context) (*process, error) {
	cmd := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	running := &process{name: p.name, cmd: cmd, streaming: make(chan struct{}), exited: make(chan struct{})}
	go running.follow(stderr)
	return running, nil
}

// awaitStreaming returns when the program has said that it streams.
func (p *process) awaitStreaming(ctx context.Context) error {
	select {
	case <-p.streaming:
		return nil
	case <-p.exited:
		return errors.New("it ended before it streamed")
	case <-ctx.Done():
		return fmt.Errorf("wait for streaming: %w", context.Cause(ctx))
	}
}

// follow reads the program's log, one JSON object a line.
func (p *process) follow(stderr io.Reader) {
	defer close(p.exited)
	lines, said := bufio.NewScanner(stderr), false
	for lines.Scan() {
		if p.tail = append(p.tail, lines.Text()); len(p.tail) > 20 {
			p.tail = p.tail[1:]
		}
		var line struct{ Msg string }
		if err := json.Unmarshal(lines.Bytes(), &line); err == nil && line.Msg == "streaming" && !said {
			close(p.streaming)
			said = true
		}
	}
	_, _ = io.Copy(io.Discard, stderr) // a line too long to scan must not block the program
	_ = p.cmd.Wait()                   // stop looks at how it ended
}

// stop ends the program as an operator does and returns what it has used. When something went wrong, while it ran
// (err) or now, the error carries the end of the program's log.
func (p *process) stop(ctx context.Context, err error) (usage, error) {
	used := usage{rss: p.peakMemory()}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	<-p.exited                                // ctx kills it
	state := p.cmd.ProcessState
	used.cpu = state.UserTime() + state.SystemTime()
	if !state.Success() {
		err = errors.Join(err, fmt.Errorf("stop: %s", state), context.Cause(ctx))
	}
	if err != nil {
		return usage{}, fmt.Errorf("run %s: %w; its log ends:\n%s", p.name, err, strings.Join(p.tail, "\n"))
	}
	return used, nil
}

// peakMemory reads VmHWM (proc(5)), as getrusage's figure includes what this process had when it forked. It is 0
// where there is no such file.
func (p *process) peakMemory() int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(after, " kB")
	kilobytes, _ := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return kilobytes << 10
}
