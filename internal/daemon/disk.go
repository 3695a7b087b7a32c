//go:build unix

package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// existing returns dir, or the nearest folder above it that exists.
func existing(dir string) (string, fs.FileInfo, error) {
	for {
		info, err := os.Stat(dir)
		if above := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && above != dir {
			dir = above
			continue
		}
		return dir, info, err
	}
}

// usable tells whether a run could use dir, or make it: then it returns the folder above in which.
func usable(dir string) (above string, err error) {
	above, info, err := existing(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s is no folder", above)
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; above == dir && info.Mode().Perm() != private && os.Geteuid() != 0 &&
		int(owner) != os.Geteuid() {
		return "", fmt.Errorf("%s is open to other users, and only its owner %d may close it", dir, owner)
	}
	const writeAndEnter = 3
	if err := syscall.Access(above, writeAndEnter); err != nil {
		return "", fmt.Errorf("%s cannot be written: %w", above, err)
	}
	return above, nil
}

// empty tells whether there is nothing in dir, or no dir.
func empty(dir string) bool {
	entries, err := os.ReadDir(dir)
	return errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0
}

// freeBytes returns how much an ordinary user may write where dir is, or will be.
func freeBytes(dir string) (int64, error) {
	above, _, err := existing(dir)
	if err != nil {
		return 0, err
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(above, &s); err != nil {
		return 0, &fs.PathError{Op: "statfs", Path: above, Err: err}
	}
	return int64(s.Bavail) * int64(s.Bsize), nil //nolint:unconvert // is no int64 everywhere
}
