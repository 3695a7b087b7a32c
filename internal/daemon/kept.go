package daemon

import (
	"context"
	"errors"
	"fmt"

	"bluetap/capture"
	"bluetap/internal/control"
	"bluetap/internal/store"
)

// kept is what a state says of itself.
type kept struct {
	State   store.State `json:"state"`
	Applied uint64      `json:"applied"`
}

func keptOf(st *store.Store) kept { return kept{State: st.State(), Applied: st.Applied()} }

// start is what the stream would go on from.
func (k *kept) start(tables []capture.Table) capture.Start {
	return capture.Start{Position: capture.LSN(k.Applied), Source: identityOf(k.State.Source), Tables: tables,
		Membership: k.State.Membership}
}

// made is the slot of a first start that was cut short.
func (k *kept) made() capture.Made {
	return capture.Made{Source: identityOf(k.State.Source), After: capture.LSN(k.State.SlotAfter),
		Point: capture.LSN(k.State.SlotPoint)}
}

// lookup is what was found out about a state directory, and the open state, which is locked until close.
type lookup struct {
	kind  capture.StateKind
	kept  kept // of a state that is being made, has been begun or is run on
	store *store.Store
}

func (l *lookup) close() error {
	if l.store == nil {
		return nil
	}
	return l.store.Close()
}

// lookAt asks the daemon that runs on a state directory, or opens the state. The error is of the daemon or the store;
// the kind is StateUnknown then.
func lookAt(ctx context.Context, dir string) (lookup, error) {
	l := lookup{kind: capture.StateNone}
	st, err := unlocked(ctx, func() (*store.Store, error) {
		err := control.AskState(ctx, dir, &l.kept)
		if !errors.Is(err, control.ErrNotRunning) || empty(dir) {
			return nil, err
		}
		// A daemon that is just starting has the lock already and not yet its socket.
		return store.OpenReadOnly(dir, store.Options{})
	})
	switch {
	case err == nil && st == nil:
		l.kind = capture.StateRunning
	case errors.Is(err, control.ErrNotRunning), errors.Is(err, store.ErrNone):
		return l, nil
	case err != nil:
		return lookup{}, fmt.Errorf("look at state: %w", err)
	default:
		l.store, l.kept = st, keptOf(st)
		l.kind = kindOf(l.kept.State.Snapshot)
	}
	return l, nil
}

// kindOf tells how far a state has come that no daemon runs on.
func kindOf(snapshot string) capture.StateKind {
	switch snapshot {
	case store.SnapshotReady:
		return capture.StateBegun
	case store.SnapshotCreating:
		return capture.StateMaking
	}
	return capture.StateNone
}
