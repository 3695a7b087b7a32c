package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
)

// largest returns the largest file of the state that matches.
func (i *instance) largest(t *testing.T, pattern string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(i.state, pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %v", pattern, names, err)
	}
	best, size := "", int64(-1)
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > size {
			best, size = name, info.Size()
		}
	}
	return best
}

// edit rewrites a file of the state.
func edit(t *testing.T, name string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, change(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func cutInHalf(b []byte) []byte { return b[:len(b)/2] }

func flipMiddle(b []byte) []byte {
	b[len(b)/2] ^= 1
	return b
}

func rubbish(b []byte) []byte { return []byte(strings.Repeat("no manifest ", 1+len(b)/12)) }

func nothing([]byte) []byte { return []byte{} }

// damages are what disks, backups and people do to the largest file of a name. A nil change removes it.
var damages = []struct {
	name, file string
	change     func([]byte) []byte
}{
	{"table cut short", "*.sst", cutInHalf},
	{"table gone", "*.sst", nil},
	{"table empty", "*.sst", nothing},
	{"manifest of rubbish", "MANIFEST-*", rubbish},
	{"manifest flipped", "MANIFEST-*", flipMiddle},
	{"manifest gone", "MANIFEST-*", nil},
	{"marker of the manifest gone", "marker.manifest*", nil},
	{"marker of the format gone", "marker.format*", nil},
	{"options of rubbish", "OPTIONS-*", rubbish},
	{foundOnRead, "*.sst", flipMiddle},
}

// foundOnRead is the damage that only a change of the rows in question finds; the others are found at the start.
const foundOnRead = "rows flipped"

// TestDamagedState damages the state in several ways: bluetap says so and what to do, and never goes on with less.
func TestDamagedState(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+`
		INSERT INTO todos (id, title, todo_list_id, text)
		SELECT 't' || i, 't', 'clakt9v5t000kvt64f563l90l',
			(SELECT string_agg(md5(i || ' ' || j), '') FROM generate_series(1, 64) j)
		FROM generate_series(1, 5000) i`)
	to := receive(t)
	hook := webhookYAML{id: "a", url: to.URL}
	const local = "delivery: {allowedNetworks: [127.0.0.0/8]}"
	sound := install(t, pg.URL("postgres"), local, hook)
	p := sound.start(t)
	pg.Exec(t, "postgres", "UPDATE todos SET title = 'new' WHERE id < 't2'")
	sound.waitEmpty(t)
	p.stop()
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			i := install(t, pg.URL("postgres"), local, hook)
			if err := os.CopyFS(i.state, os.DirFS(sound.state)); err != nil {
				t.Fatal(err)
			}
			if name := i.largest(t, d.file); d.change == nil {
				remove(t, name)
			} else {
				edit(t, name, d.change)
			}
			p := i.run(t)
			if d.name == foundOnRead {
				p.waitLog("streaming")
				pg.Exec(t, "postgres", "UPDATE todos SET title = 'read'")
			}
			code := p.wait()
			var plain []string
			for _, line := range p.log() {
				if !strings.HasPrefix(line, "{") {
					plain = append(plain, line)
				}
			}
			if code != exitFailed || len(plain) != 2 || !strings.Contains(plain[0], "state is damaged") ||
				!strings.HasPrefix(plain[1], "next: move the state directory away, run bluetap teardown ") {
				t.Errorf("exit code %d, %q", code, plain)
			}
		})
	}
}
