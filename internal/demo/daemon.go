//go:build unix

package demo

import (
	"bytes"
	"context"
	"crypto/rand"
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
	"bluetap/internal/hint"
)

// The files in the demo's directory. State is a folder.
const (
	configFile = "bluetap.yaml"
	urlFile    = "database-url"
	secretFile = "secret"
	logFile    = "bluetap.log"
	stateDir   = "state"
)

// config is what somebody would write who follows the README. The references name files and not the environment, so
// that other commands can be run on it from another terminal.
const config = `database:
  url: file:%[1]s
state:
  dir: ` + stateDir + `
delivery:
  allowedNetworks: [127.0.0.0/8]
webhooks:
  - id: demo
    url: %[3]s
    secret: file:%[2]s
`

func (d *demo) writeConfig(name, content string) error {
	if err := os.WriteFile(d.path(name), []byte(content), 0o600); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}

// grant makes the role as the README tells, with the rights that `setup --print` asks for and no more.
func (d *demo) grant(ctx context.Context) (string, error) {
	password := rand.Text()
	if _, err := d.pg.Psql(ctx, database, "CREATE ROLE bluetap LOGIN PASSWORD '"+password+"'"); err != nil {
		return "", fmt.Errorf("create role: %w", err)
	}
	yaml := fmt.Sprintf(config, d.path(urlFile), d.path(secretFile), d.receiver.url)
	err := errors.Join(d.writeConfig(urlFile, d.pg.URLFor("bluetap", password, database)), d.writeConfig(configFile, yaml))
	if err != nil {
		return "", err
	}
	cmd := d.command("setup", "--print")
	var sql, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &sql, &stderr
	exited, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		return "", fmt.Errorf("run setup: %w", err)
	}
	select {
	case <-exited:
	case <-ctx.Done():
		_ = cmd.Process.Kill() // it may have ended
		<-exited
		return "", context.Cause(ctx)
	}
	if !cmd.ProcessState.Success() {
		return "", saidAs("setup", strings.Split(stderr.String(), "\n"))
	}
	if _, err := d.pg.Psql(ctx, database, sql.String()); err != nil {
		return "", fmt.Errorf("grant rights: %w", err)
	}
	return "role bluetap: may read Blue's columns and replicate, no more", nil
}

// command is bluetap's own, without libpq's variables, which would point it elsewhere.
func (d *demo) command(args ...string) *exec.Cmd {
	cmd := exec.Command(d.Program, append(args, "--config", d.path(configFile))...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "PG") })
	return cmd
}

// stopTimeout bounds the daemon's orderly end: requests under way get 10 s.
const stopTimeout = 15 * time.Second

// daemon is `bluetap run` as a process.
type daemon struct {
	cmd    *exec.Cmd
	exited <-chan struct{}
	log    *daemonLog
}

func (d *demo) startDaemon(ctx context.Context) (string, error) {
	file, err := os.OpenFile(d.path(logFile), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fmt.Errorf("open log: %w", err)
	}
	log := &daemonLog{file: file, streaming: make(chan struct{})}
	cmd := d.command("run")
	cmd.Stderr = log
	exited, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		return "", errors.Join(fmt.Errorf("start the daemon: %w", err), file.Close())
	}
	d.daemon = &daemon{cmd: cmd, exited: exited, log: log}
	select {
	case <-log.streaming:
		return "the daemon, streaming; " + d.path(configFile), nil
	case <-exited:
		return "", d.daemon.failed()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// failed says why the daemon ended although nobody asked it to. It must have ended.
func (p *daemon) failed() error { return saidAs("run", p.log.tail) }

// stop ends the daemon as an operator does. To stop one that has ended is no error.
func (p *daemon) stop() error {
	defer p.log.file.Close()
	select {
	case <-p.exited:
		return nil
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may end just now
	select {
	case <-p.exited:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
	if !p.cmd.ProcessState.Success() {
		return fmt.Errorf("stop the daemon: %s", p.cmd.ProcessState)
	}
	return nil
}

// saidAs makes an error of the last lines that a command of bluetap printed: what went wrong and what to do next are
// lines of plain text there, the rest is JSON.
func saidAs(command string, lines []string) error {
	said, next := "it says nothing of why", ""
	for _, line := range lines {
		if text, ok := strings.CutPrefix(line, "bluetap: "); ok {
			said = text
		} else if text, ok := strings.CutPrefix(line, "next: "); ok {
			next = text
		}
	}
	return hint.New(fmt.Errorf("bluetap %s failed: %s", command, said), next)
}

// keptLines is how many lines of the daemon's log are kept to say why it ended.
const keptLines = 20

// daemonLog takes the daemon's log, one line at a time: into the file, and its end into tail.
type daemonLog struct {
	file      *os.File
	streaming chan struct{} // closed when the daemon has said that it streams
	once      sync.Once
	rest      []byte   // the beginning of a line
	tail      []string // to be read when the daemon has ended
}

// Write is called by one goroutine, which ends with the process.
func (l *daemonLog) Write(b []byte) (int, error) {
	l.rest = append(l.rest, b...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			return l.file.Write(b)
		}
		l.rest = rest
		if l.tail = append(l.tail, string(line)); len(l.tail) > keptLines {
			l.tail = l.tail[1:]
		}
		var record struct{ Msg string }
		if json.Unmarshal(line, &record) == nil && record.Msg == "streaming" {
			l.once.Do(func() { close(l.streaming) })
		}
	}
}
