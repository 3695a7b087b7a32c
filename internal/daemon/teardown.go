package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bluetap/capture"
	"bluetap/internal/hint"
	"bluetap/internal/store"
)

// errRunning says that a daemon runs on the state.
var errRunning = errors.New("a daemon is running")

// Teardown drops what a bluetap has made in the database. It holds the state, if there is one that can be read, so that
// no daemon starts on it meanwhile.
type Teardown struct {
	Options
	Found capture.Leftovers // as of OpenTeardown
	state lookup
}

// OpenTeardown looks at what there is, and drops nothing. It refuses while a daemon runs on the state, while anybody
// uses the slot, and where the database is not that of the state: its slot would be another bluetap's.
func OpenTeardown(ctx context.Context, o Options) (_ *Teardown, err error) {
	t := &Teardown{Options: o}
	t.state, err = lookAt(ctx, o.Config.State.Dir)
	switch {
	case errors.Is(err, store.ErrDamaged), errors.Is(err, store.ErrFormat): // the slot must be droppable all the same
	case err != nil:
		return nil, err
	case t.state.kind == capture.StateRunning:
		return nil, hint.New(fmt.Errorf("%w on %s", errRunning, o.Config.State.Dir), "stop it, then try again")
	}
	source := sourceOf(o)
	t.Found, err = leftSlot(ctx, source)
	if ours := t.state.kept.State.Source; err == nil && ours.SystemID != "" {
		err = errors.Join(capture.CheckSource(t.Found.Source, identityOf(ours)), sameNames(ours, source))
	}
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// leftSlot is FindLeftovers, which gives the connection of a daemon that has just been stopped the time to go.
func leftSlot(ctx context.Context, source capture.Config) (capture.Leftovers, error) {
	tick := time.NewTicker(lockPatience / 20)
	defer tick.Stop()
	for deadline := time.Now().Add(lockPatience); ; {
		found, err := capture.FindLeftovers(ctx, source)
		if !capture.Retryable(err) || time.Now().After(deadline) {
			return found, err
		}
		select {
		case <-ctx.Done():
			return found, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// Close frees the state.
func (t *Teardown) Close() error { return t.state.close() }

// Known tells whether the state is of the slot as it is now: nobody has read what the state does not know of. Otherwise
// the slot may be that of another bluetap, which has the state by now, or a state of its own.
func (t *Teardown) Known() bool {
	switch t.state.kind {
	case capture.StateBegun:
		return t.Found.Flushed <= capture.LSN(t.state.kept.Applied)
	case capture.StateMaking:
		return t.state.kept.made().Unread(t.Found.Flushed)
	}
	return false
}

// Watch looks, where the slot is not Known, whether another bluetap is only away from it for a moment.
func (t *Teardown) Watch(ctx context.Context) error {
	if t.Known() || !t.Found.Slot {
		return nil
	}
	return capture.WatchIdle(ctx, sourceOf(t.Options), capture.ReturnTime)
}

// Run drops the slot and then the publication, and calls done with what was dropped. The slot goes first: it is what
// fills the server's disk. A publication that others may need, or that the role may not drop, is left, which is an
// error with what to do.
func (t *Teardown) Run(ctx context.Context, done func(what string) error) error {
	source := sourceOf(t.Options)
	now, err := capture.FindLeftovers(ctx, source)
	if err != nil {
		return err
	}
	if now.Slot != t.Found.Slot || now.Publication != t.Found.Publication || !slices.Equal(now.Others, t.Found.Others) {
		return hint.New(errors.New("what there is to drop has changed meanwhile"), "bluetap teardown --config FILE")
	}
	if now.Slot {
		if err := capture.DropSlot(ctx, source, t.Found.Source); err != nil {
			return err
		}
		if err := done("slot " + source.Slot); err != nil {
			return err
		}
	}
	switch sql := capture.DropPublicationSQL(source); {
	case !now.Publication:
		return nil
	case len(now.Others) > 0:
		return hint.New(fmt.Errorf("publication %s is left: slot %s may be read with it", source.Publication,
			strings.Join(now.Others, ", ")), "if it is not: "+sql)
	case !now.MayDrop:
		return hint.New(fmt.Errorf("publication %s is left: it belongs to %s", source.Publication, now.Owner),
			"have "+now.Owner+" run: "+sql)
	}
	if err := capture.DropPublication(ctx, source); err != nil {
		return err
	}
	return done("publication " + source.Publication)
}
