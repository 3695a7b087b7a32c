package daemon

import (
	"context"
	"errors"
	"fmt"

	"bluetap/capture"
	"bluetap/internal/control"
	"bluetap/internal/hint"
	"bluetap/internal/store"
)

// ErrRunning says that a daemon runs on the state.
var ErrRunning = errors.New("a daemon is running")

// Leftovers tells what Teardown would drop. It refuses while a daemon runs on the state, while anybody uses the slot,
// and where the database is not that of the state: its slot would be another bluetap's.
func Leftovers(ctx context.Context, o Options) (capture.Leftovers, error) {
	kept, err := stoppedState(ctx, o.Config.State.Dir)
	if err != nil {
		return capture.Leftovers{}, err
	}
	source := sourceOf(o)
	found, err := capture.FindLeftovers(ctx, source)
	if err != nil || kept.Source.SystemID == "" {
		return found, err
	}
	return found, errors.Join(capture.CheckSource(found.Source, identityOf(kept.Source)), sameNames(kept.Source, source))
}

// stoppedState returns what the state says of itself, or the zero State where there is none.
func stoppedState(ctx context.Context, dir string) (store.State, error) {
	_, err := control.AskStatus(ctx, dir)
	switch {
	case err == nil:
		return store.State{}, hint.New(fmt.Errorf("%w on %s", ErrRunning, dir), "stop it, then try again")
	case !errors.Is(err, control.ErrNotRunning):
		return store.State{}, err
	case empty(dir):
		return store.State{}, nil
	}
	st, err := store.OpenReadOnly(dir, store.Options{})
	switch {
	case errors.Is(err, store.ErrNone), errors.Is(err, store.ErrDamaged), errors.Is(err, store.ErrFormat):
		return store.State{}, nil // the slot must be droppable without it
	case err != nil:
		return store.State{}, err
	}
	return st.State(), st.Close()
}

// Teardown drops the slot and then the publication, and calls done with what was dropped. The slot goes first: it is
// what fills the server's disk.
func Teardown(ctx context.Context, o Options, found capture.Leftovers, done func(what string) error) error {
	source := sourceOf(o)
	if found.Slot {
		if err := capture.DropSlot(ctx, source); err != nil {
			return err
		}
		if err := done("slot " + source.Slot); err != nil {
			return err
		}
	}
	if !found.Publication {
		return nil
	}
	if err := capture.DropPublication(ctx, source); err != nil {
		return err
	}
	return done("publication " + source.Publication)
}
