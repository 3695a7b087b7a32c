package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"bluetap/internal/hint"
)

// The markers of a Pebble database are empty files whose names end in what they say: which manifest holds, and how new
// the program must be that reads it.
const (
	markManifest = "marker.manifest."
	markVersion  = "marker.format-version."
)

// Exists reports whether the directory holds a store, whole or not. One that is not there holds none.
func Exists(dir string) (bool, error) {
	names, err := vfs.Default.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("list state directory: %w", err)
	}
	return isStore(names), nil
}

func isStore(names []string) bool { return hasManifest(names) || hasRows(names) }

func hasManifest(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, markManifest) })
}

// rowFile matches what rows are in: tables, and logs of what is in no table yet.
var rowFile = regexp.MustCompile(`^\d{6,}\.(sst|log)$`)

func hasRows(names []string) bool { return slices.ContainsFunc(names, rowFile.MatchString) }

// checkFiles finds by the names of the files what Pebble would tell without a type, or not at all: without its
// manifest's marker it takes a store for a new one, and deletes what is there.
func (s *Store) checkFiles() error {
	names, err := s.opts.FS.List(s.dir)
	if err != nil {
		return fmt.Errorf("list state directory: %w", err)
	}
	if hasRows(names) && !hasManifest(names) {
		return damaged(errors.New("its file " + markManifest + "… is missing"))
	}
	for _, name := range names {
		if !strings.HasPrefix(name, markVersion) {
			continue
		}
		version, err := strconv.ParseUint(strings.TrimPrefix(filepath.Ext(name), "."), 10, 64)
		if err == nil && version > uint64(pebble.FormatNewest) {
			return newer(version, uint64(pebble.FormatNewest))
		}
	}
	return nil
}

func newer(found, known uint64) error {
	return hint.New(fmt.Errorf("%w: format %d, known is %d", ErrFormat, found, known),
		"run the version of bluetap that wrote it, or a newer one")
}

// holder returns " (pid N)" for the process that has the lock, or "" where that cannot be told. It must not be
// asked where this process may have it: closing the file would give the lock up.
func holder(lock string) string {
	f, err := os.OpenFile(lock, os.O_RDWR, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	held := syscall.Flock_t{Type: syscall.F_WRLCK}
	if syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &held) != nil || held.Type == syscall.F_UNLCK || held.Pid <= 0 {
		return ""
	}
	return fmt.Sprintf(" (pid %d)", held.Pid)
}
