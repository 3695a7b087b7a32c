package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hush stands for every secret in the cases: it may not come back in anything that bluetap prints.
const hush = "hunter2"

// badPatience bounds one run of a case: what is wrong is said at once, and nothing is waited for.
const badPatience = 3 * time.Minute

// badCase is one mistake and what comes of it: an exit code, these lines and no others, and nothing changed.
//
// In file, env, args, sql and want, $DIR is the case's own folder, $FILE the configuration, $STATE its state directory;
// TestBadDatabase adds names of its own. In want, … stands for any text.
type badCase struct {
	name    string
	file    string                        // the configuration
	env     []string                      // NAME=value, beside the environment without PG…
	prepare func(t *testing.T, b *badRun) // what else there is before the command; nil for nothing
	args    []string                      // nil: run --config $FILE
	code    int
	want    []string // all of stderr but the log
}

// badRun is a case that is under way.
type badRun struct {
	badCase
	dir   string
	words *strings.Replacer
	attr  *syscall.SysProcAttr // who runs bluetap, if not the user who runs the test
	bin   string               // the program; "" is the test binary itself
}

func newBadRun(t *testing.T, c badCase, words ...string) *badRun {
	t.Helper()
	dir, err := os.MkdirTemp("", "bluetap") //nolint:usetesting // a Unix socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	b := &badRun{badCase: c, dir: dir}
	b.words = strings.NewReplacer(append(words, "$DIR", dir, "$FILE", b.config(), "$STATE", b.state())...)
	b.writeConfig(t, c.file)
	return b
}

func (b *badRun) config() string { return filepath.Join(b.dir, "bluetap.yaml") }
func (b *badRun) state() string  { return filepath.Join(b.dir, "state") }

func (b *badRun) writeConfig(t *testing.T, text string) {
	t.Helper()
	b.write(t, "bluetap.yaml", text)
}

// write makes a file of the case's folder.
func (b *badRun) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(b.words.Replace(text)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// mkdir makes a folder in the case's folder.
func (b *badRun) mkdir(t *testing.T, name string, mode fs.FileMode) {
	t.Helper()
	path := filepath.Join(b.dir, name)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
}

// exec runs bluetap to its end.
func (b *badRun) exec(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), badPatience)
	defer cancel()
	program := b.bin
	if program == "" {
		program = os.Args[0]
	}
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = b.words.Replace(arg)
	}
	cmd := exec.CommandContext(ctx, program, words...)
	cmd.SysProcAttr = b.attr
	cmd.Env = slices.DeleteFunc(environment(), func(v string) bool { return strings.HasPrefix(v, "PG") })
	for _, v := range b.env {
		cmd.Env = append(cmd.Env, b.words.Replace(v))
	}
	var out, errOut strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); ctx.Err() != nil || cmd.ProcessState == nil {
		t.Fatalf("bluetap %s: %v\n%s", strings.Join(words, " "), err, errOut.String())
	}
	wantNoRace(t, errOut.String())
	return cmd.ProcessState.ExitCode(), out.String(), errOut.String()
}

// check runs the case's command and holds exit code, lines and that no secret is told.
func (b *badRun) check(t *testing.T) {
	t.Helper()
	args := b.args
	if args == nil {
		args = []string{"run", "--config", "$FILE"}
	}
	code, stdout, stderr := b.exec(t, args...)
	if code != b.code {
		t.Errorf("exit code %d, want %d", code, b.code)
	}
	b.wantLines(t, stderr)
	if strings.Contains(stdout+stderr, hush) {
		t.Errorf("a secret is in the output:\n%s%s", stdout, stderr)
	}
}

// wantLines holds that stderr has the case's lines beside the log, and no others.
func (b *badRun) wantLines(t *testing.T, stderr string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "{") { // the log
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	same := len(lines) == len(b.want)
	for n := 0; same && n < len(lines); n++ {
		same = matches(lines[n], b.words.Replace(b.want[n]))
	}
	if !same {
		t.Errorf("stderr:\n%s\nwant:\n%s", stderr, b.words.Replace(strings.Join(b.want, "\n")))
	}
}

// matches tells whether line is want, in which … stands for any text.
func matches(line, want string) bool {
	parts := strings.Split(want, "…")
	if len(parts) == 1 {
		return line == want
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(line) < len(first)+len(last) || !strings.HasPrefix(line, first) || !strings.HasSuffix(line, last) {
		return false
	}
	line = line[len(first) : len(line)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(line, part)
		if at < 0 {
			return false
		}
		line = line[at+len(part):]
	}
	return true
}

// treeOf lists everything below dir: names, modes and hashes of the contents.
func treeOf(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&all, "%s %s", info.Mode(), path)
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil && !errors.Is(err, fs.ErrPermission) { // some are closed for their case
				return err
			}
			fmt.Fprintf(&all, " %x", sha256.Sum256(content))
		}
		all.WriteString("\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// checkUntouched holds that what look returns is the same before and after the case's command.
func (b *badRun) checkUntouched(t *testing.T, look func() string) {
	t.Helper()
	before := look()
	b.check(t)
	if after := look(); after != before {
		t.Errorf("something was changed; before:\n%s\nafter:\n%s", before, after)
	}
}
