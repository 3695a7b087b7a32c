//go:build linux

package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
	"bluetap/internal/racetest"
)

// TestSecretsStayAtHome has password hashes in users, and looks for them in everything that bluetap has: on a server
// with column lists they never come to the process; where they come, they go no further than the connection.
func TestSecretsStayAtHome(t *testing.T) {
	racetest.SkipLarge(t)
	for _, lists := range []bool{true, false} {
		t.Run(fmt.Sprintf("column lists %t", lists), func(t *testing.T) {
			hash, wanted := rand.Text(), rand.Text() // in no program's constants
			pg := pgtest.Start(t)
			if lists && serverMajor(t, pg) < columnLists {
				t.Skip("the server has no column lists")
			}
			pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+fmt.Sprintf(`
				INSERT INTO users (id, email, first_name, password_hash)
				SELECT 'u' || i, '%s', repeat('x', %d), '%s' FROM generate_series(1, %d) i`, wanted, largeText, hash, largeRows))
			to := receive(t)
			i := install(t, leastURL(t, pg), "delivery: {allowedNetworks: [127.0.0.0/8]}", webhookYAML{id: "a", url: to.URL})
			grantLeast(t, pg, i)
			if !lists {
				pg.Exec(t, "postgres", `ALTER PUBLICATION bluetap DROP TABLE users; ALTER PUBLICATION bluetap ADD TABLE ONLY users`)
			}
			p := i.start(t)
			pg.Exec(t, "postgres", `UPDATE users SET is_email_verified = true WHERE id = 'u1'; DELETE FROM users WHERE id = 'u2';
				UPDATE users SET first_name = repeat('y', length(first_name)) WHERE id LIKE 'u%'`)
			p.waitLog("large transaction staged")
			p.look(t, i, hash, wanted, lists)
			pg.Exec(t, "postgres", blueschema.InsertTodoCreated()+`
				INSERT INTO todo_users (id, todo_id, user_id) SELECT 'a', id, 'u1' FROM todos`)
			got := to.waitForBody(t, "TODO_ASSIGNEE_ADDED", wanted)
			for _, d := range got {
				if strings.Contains(d.body, hash) {
					t.Errorf("%s holds a password hash", d.event)
				}
			}
			p.stop()
			wantInFiles(t, "after the stop", filesOf(t, i.state), hash, wanted)
			if strings.Contains(strings.Join(p.log(), "\n"), hash) {
				t.Error("the log holds a password hash")
			}
		})
	}
}

// look stops the process in the middle of what it does and searches its files, those that have no name any more too,
// and its memory if the hash must not be there either. What is wanted must be found, or the search would prove nothing.
func (p *process) look(t *testing.T, i *instance, hash, wanted string, memory bool) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.cmd.Process.Signal(syscall.SIGCONT) }()
	open, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	files := filesOf(t, i.state)
	for _, name := range open {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			files = append(files, name)
		}
	}
	wantInFiles(t, "in the middle", files, hash, wanted)
	if memory {
		found := searchMemory(t, p.cmd.Process.Pid, []string{hash, wanted})
		if found[hash] || !found[wanted] {
			t.Errorf("in memory: the hash %t, what is sent %t", found[hash], found[wanted])
		}
	}
}

func filesOf(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func wantInFiles(t *testing.T, when string, files []string, hash, wanted string) {
	t.Helper()
	found := map[string]bool{}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			continue // the store removes files as it goes
		}
		search(bufio.NewReader(f), []string{hash, wanted}, found)
		_ = f.Close()
	}
	if found[hash] || !found[wanted] {
		t.Errorf("on disk, %s: the hash %t, what is sent %t", when, found[hash], found[wanted])
	}
}

// search notes which of the words r holds, as far as it can be read.
func search(r io.Reader, words []string, found map[string]bool) {
	const overlap = 64
	window := make([]byte, 0, 1<<20)
	for {
		n, err := r.Read(window[len(window):cap(window)])
		window = window[:len(window)+n]
		for _, w := range words {
			found[w] = found[w] || bytes.Contains(window, []byte(w))
		}
		if err != nil {
			return
		}
		window = append(window[:0], window[max(0, len(window)-overlap):]...)
	}
}

// searchMemory notes which of the words the memory of a process holds.
func searchMemory(t *testing.T, pid int, words []string) map[string]bool {
	t.Helper()
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	found := map[string]bool{}
	for line := range strings.Lines(readFile(t, fmt.Sprintf("/proc/%d/maps", pid))) {
		var from, to int64
		var rights string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &rights); err == nil && strings.HasPrefix(rights, "rw") {
			search(io.NewSectionReader(memory, from, to-from), words, found)
		}
	}
	return found
}
