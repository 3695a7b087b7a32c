package capture

import (
	"errors"
	"fmt"

	"bluetap/internal/hint"
)

var (
	// ErrWrongSource is wrapped by errors that say that the database is not the one that the state belongs to:
	// another system identifier, database OID or database name.
	ErrWrongSource = errors.New("not the database that the state belongs to")
	// errServerVersion is wrapped by errors that say that the server is older than PostgreSQL 14.
	errServerVersion = errors.New("the server is too old")
	// ErrGap is wrapped by every GapError, for callers that ask only whether there is one.
	ErrGap = errors.New("changes may be missing between the state and the stream")
	// ErrSlotExists is wrapped by what CreateSnapshot returns when the server has a slot of that name already.
	ErrSlotExists = errors.New("the slot exists already")
	// ErrForeignSlot is wrapped by what DropUnreadSlot returns for a slot that it leaves alone.
	ErrForeignSlot = errors.New("the slot is not the one that was made here, or somebody has read it")
	// ErrClosed is wrapped by what Next returns once Run has returned, beside the error that Run returned.
	ErrClosed = errors.New("stream closed")
)

// GapError says that the stream cannot be continued from the stored position without losing changes. Retrying
// cannot mend it. It wraps ErrGap.
type GapError struct {
	Reason string // what was found, in words, e.g. "the slot does not exist"
	Slot   string // the slot's name
	Ours   LSN    // the position up to which changes were stored or received; 0 where nobody looked
	Server LSN    // the position on the server that contradicts Ours; 0 where there is none
}

// Error says what was found and where.
func (e *GapError) Error() string {
	if e.Ours == 0 && e.Server == 0 {
		return fmt.Sprintf("slot %s: %s", e.Slot, e.Reason)
	}
	if e.Server == 0 {
		return fmt.Sprintf("slot %s: %s (our position is %s)", e.Slot, e.Reason, e.Ours)
	}
	return fmt.Sprintf("slot %s: %s (our position is %s, the server's %s)", e.Slot, e.Reason, e.Ours, e.Server)
}

// Unwrap returns ErrGap.
func (e *GapError) Unwrap() error { return ErrGap }

// gap returns a GapError with the advice for it.
func gap(slot, reason string, ours, server LSN) error {
	return hint.New(&GapError{Reason: reason, Slot: slot, Ours: ours, Server: server},
		"stop bluetap, move its state directory away, run SELECT pg_drop_replication_slot("+quoteLiteral(slot)+
			") where the slot still exists, and start bluetap anew")
}
