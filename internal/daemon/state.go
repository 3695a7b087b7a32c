package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"

	"bluetap/internal/hint"
	"bluetap/internal/store"
)

// private is the mode of the state directory, which holds rows of the database and is nobody else's to read.
const private fs.FileMode = 0o700

// openState makes the state directory, closes it to other users and opens what it holds.
func openState(ctx context.Context, o Options) (*store.Store, error) {
	dir := o.Config.State.Dir
	if err := os.MkdirAll(dir, private); err != nil {
		return nil, hint.New(fmt.Errorf("make state directory: %w", err),
			"name under state.dir a directory that bluetap may make, or make one and give it to its user")
	}
	if err := protect(dir); err != nil {
		return nil, err
	}
	return unlocked(ctx, func() (*store.Store, error) {
		return store.Open(dir, store.Options{Log: o.Log, MaxBytes: uint64(o.Config.State.MaxSize),
			Retention: o.Config.State.Retention, DeadRetention: o.Config.Delivery.DeadLetterRetention})
	})
}

// lockPatience is how long a state that somebody has open is waited for: a command that looks at it is done sooner.
const lockPatience = 2 * time.Second

// unlocked opens a state, and tries again while another process has it open.
func unlocked(ctx context.Context, open func() (*store.Store, error)) (*store.Store, error) {
	tick := time.NewTicker(lockPatience / 20)
	defer tick.Stop()
	for deadline := time.Now().Add(lockPatience); ; {
		st, err := open()
		if !errors.Is(err, store.ErrLocked) || time.Now().After(deadline) {
			return st, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// protect closes dir to other users.
func protect(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("look at state directory: %w", err)
	}
	if info.Mode().Perm() == private {
		return nil
	}
	if err := checkOurs(dir, info); err != nil {
		return err
	}
	if err := os.Chmod(dir, private); err != nil {
		return hint.New(fmt.Errorf("close state directory to other users: %w", err),
			fmt.Sprintf("give it to the user that bluetap runs as: chown %d %s; or name a folder in it, which bluetap makes",
				os.Getuid(), dir))
	}
	return nil
}

// checkOurs refuses a folder that is not ours to close, such as /tmp: one that is open and holds something else.
func checkOurs(dir string, info fs.FileInfo) error {
	const others fs.FileMode = 0o077
	if info.Mode().Perm()&others == 0 {
		return nil
	}
	ours, err := store.Exists(dir)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list state directory: %w", err)
	}
	other := slices.IndexFunc(entries, func(e fs.DirEntry) bool { return e.Name() != "lost+found" })
	if !ours && other >= 0 {
		return hint.New(fmt.Errorf("state directory %s is open to other users and holds something else: %s", dir,
			entries[other].Name()), "name a directory of its own under state.dir")
	}
	return nil
}

// makeSpill makes the folder for transactions that are too large for memory, and tries it: the first of them may come
// much later, and then nobody looks.
func makeSpill(dir string) error {
	err := os.MkdirAll(dir, private)
	if errors.Is(err, syscall.ENOTDIR) {
		return hint.New(fmt.Errorf("make spill directory: %w", err), "remove what is there: it is none of bluetap's")
	}
	var f *os.File
	if err == nil {
		f, err = os.CreateTemp(dir, "bluetap-spill-*") // a name that the stream removes, should this process die here
	}
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		return hint.New(fmt.Errorf("make spill directory: %w", err),
			"see that the user of bluetap may write under state.dir and that there is room, then start again")
	}
	return nil
}
