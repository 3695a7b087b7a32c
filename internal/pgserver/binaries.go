//go:build unix

package pgserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"bluetap/internal/hint"
)

// ErrNoBinaries is returned, wrapped, when no PostgreSQL server programs are installed.
var ErrNoBinaries = errors.New("no PostgreSQL server programs found")

// FindBinaries returns the directory that holds initdb, postgres and psql of one PostgreSQL version. It looks at,
// in this order: the directory in $PG_BIN; Debian's directory for the major version in $PGVERSION; Debian's highest
// version; `pg_config --bindir`. A directory that $PG_BIN or $PGVERSION asks for is never replaced by another one.
// The error, ErrNoBinaries, carries the command that installs them.
func FindBinaries() (string, error) {
	for _, dir := range candidates() {
		if complete(dir) {
			return dir, nil
		}
	}
	return "", hint.New(ErrNoBinaries, "apt-get install postgresql  (or set PG_BIN to their directory)")
}

func candidates() []string {
	if dir := os.Getenv("PG_BIN"); dir != "" {
		return []string{dir}
	}
	if version := os.Getenv("PGVERSION"); version != "" {
		return []string{debianDir(version)}
	}
	var dirs []string
	if dir := debianHighest(); dir != "" {
		dirs = append(dirs, dir)
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	return dirs
}

func debianDir(version string) string { return "/usr/lib/postgresql/" + version + "/bin" }

// debianHighest compares versions as numbers, since 9.6 sorts after 15 as text, and passes over directories that
// hold the client programs only.
func debianHighest() string {
	highest, best := 0.0, ""
	dirs, _ := filepath.Glob(debianDir("*"))
	for _, dir := range dirs {
		version, err := strconv.ParseFloat(filepath.Base(filepath.Dir(dir)), 64)
		if err == nil && version > highest && complete(dir) {
			highest, best = version, dir
		}
	}
	return best
}

func complete(dir string) bool {
	for _, name := range []string{"initdb", "postgres", "psql"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// serverVersion returns what `postgres --version` prints.
func serverVersion(bin string) (string, error) {
	out, err := exec.Command(filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask postgres for its version: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
