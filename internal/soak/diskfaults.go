//go:build unix

package soak

import (
	"context"
	"errors"
	"fmt"
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
	f.daemon.excuse(syscall.ENOSPC)
	f.daemon.waitEnd(ctx, diskPatience)
	if err := os.Remove(ballast); err != nil {
		return err
	}
	f.daemon.excuse(syscall.ENOSPC)
	return f.worksOrEnds(ctx)
}

// worksOrEnds waits until the daemon, whose disk was full, has ended, and starts it again, or is seen to be at work:
// then it had nothing to write, or gives up later. One that does neither is broken.
func (f *faults) worksOrEnds(ctx context.Context) error {
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), excusedFor)
	defer cancel()
	for !f.daemon.ended() {
		if s, err := f.install.status(patient); err == nil && s.Running {
			return errMissed
		}
		if patient.Err() != nil && !f.daemon.ended() {
			return fmt.Errorf("%w: bluetap neither works nor ends after its disk was full", errBroken)
		}
		f.daemon.waitEnd(patient, time.Second)
	}
	return f.revive()
}

const (
	diskPatience = 5 * time.Second  // how long a failure of the disk lasts
	excusedFor   = 20 * time.Second // how long a daemon may take to give up: what is stuck gets fifteen seconds
)

// failSync makes one fsync fail, or all. The daemon must not go on as if nothing had been: what it was told is not on
// disk may never be. Of all that fails at once something has to be that; of a single one, a log and a manifest.
func (f *faults) failSync(ctx context.Context) error {
	f.daemon.waitReady()
	all, under := f.random.IntN(2) == 0, f.daemon.under
	if under.failing.Store(1); all {
		under.failing.Store(1 << 30)
	}
	f.daemon.waitEnd(ctx, diskPatience)
	under.failing.Store(0)
	f.daemon.excuse(syscall.EIO)
	failed, vital := under.failed.Load(), under.vital.Load()
	if failed == 0 && !f.daemon.ended() {
		return errMissed
	}
	if vital > 0 || all {
		f.daemon.waitEnd(context.WithoutCancel(ctx), excusedFor)
	}
	switch {
	case f.daemon.ended():
		return f.revive()
	case vital > 0 || all:
		return fmt.Errorf("%w: bluetap goes on although %d times fsync failed, %d times of a log or manifest", errBroken,
			failed, vital)
	}
	return nil // it was a file that can be written anew
}

// waitEnd waits until the process has ended, or for so long, or until ctx ends.
func (p *process) waitEnd(ctx context.Context, patience time.Duration) {
	select {
	case <-p.exited:
	case <-ctx.Done():
	case <-time.After(patience):
	}
}

// jumpClock sets the daemon's clock of the day forwards or back, and right again after a while; it is also right in the
// next process. The jumps are from seconds to a month: those that are shorter than a receiver may ask to be left alone
// for cannot be told by their size.
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
	if err := clock.set(jump); err != nil {
		return errMissed // it has just ended
	}
	felt := f.last(ctx, f.pause)
	if err := clock.set(0); err != nil || !felt {
		return errMissed
	}
	f.some(ctx, f.pause)
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
