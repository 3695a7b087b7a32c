//go:build unix

package soak

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// fillDisk fills the file system of the state. The daemon has to end, with an error, as soon as it has something to
// write; with room again it has to go on.
func (f *faults) fillDisk(ctx context.Context) error {
	f.daemon.waitReady()
	ballast := filepath.Join(f.small, "ballast")
	if err := fill(ballast); err != nil {
		return err
	}
	select {
	case <-f.daemon.exited:
	case <-ctx.Done():
	case <-time.After(5 * time.Second):
	}
	if err := os.Remove(ballast); err != nil {
		return err
	}
	return f.afterDisk()
}

// failSync makes one fsync fail, or all. The daemon must not go on as if nothing had been: what it was told is not on
// disk may never be.
func (f *faults) failSync(ctx context.Context) error {
	f.daemon.waitReady()
	f.daemon.under.failing.Store(1 + int64(f.random.IntN(2))*1_000_000)
	select {
	case <-f.daemon.exited:
	case <-ctx.Done():
	case <-time.After(5 * time.Second):
	}
	f.daemon.under.failing.Store(0)
	if err := f.afterDisk(); !errors.Is(err, errMissed) || f.daemon.under.failed.Load() == 0 {
		return err
	}
	return nil // it was a file that can be written anew
}

// excusedFor is how long a daemon may take to give up: requests under way get ten seconds.
const excusedFor = 15 * time.Second

// afterDisk starts the daemon again if it gave up on its disk. It may also have had nothing to write, or give up later.
func (f *faults) afterDisk() error {
	f.daemon.excused = time.Now().Add(excusedFor)
	if !f.daemon.ended() {
		return errMissed
	}
	return f.revive()
}

// jumpClock sets the daemon's clock of the day forwards or back, and right again after a while; it is also right in the
// next process. The jumps are from seconds to a month: those that are shorter than a receiver may ask to be left alone for
// cannot be told by their size.
func (f *faults) jumpClock(ctx context.Context) error {
	f.daemon.waitReady()
	clock := f.daemon.under.clock.Load()
	if clock == nil {
		return errMissed
	}
	scales := []int64{10, 60, 3600, 24 * 3600, 31 * 24 * 3600}
	jump := 1 + f.random.Int64N(scales[f.random.IntN(len(scales))])
	if f.random.IntN(2) == 0 {
		jump = -jump
	}
	for _, seconds := range []int64{jump, 0} {
		if err := clock.set(seconds); err != nil {
			return errMissed // it has just ended
		}
		f.some(ctx, f.pause)
	}
	return nil
}

// fill writes a file until the file system is full.
func fill(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	for chunk := make([]byte, 1<<20); len(chunk) >= 512; {
		if _, err := file.Write(chunk); errors.Is(err, syscall.ENOSPC) {
			chunk = chunk[:len(chunk)/2]
		} else if err != nil {
			return err
		}
	}
	return nil
}
