package daemon

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"

	"bluetap/internal/hint"
)

// room looks after the disk that a large transaction goes to, so that one that cannot fit is refused before the disk is
// full, and with figures. What lies there already is not free any more: it is asked for what is still to come.
//
// While a transaction is received and staged it cannot be known what comes of it: a row that is changed ten times is
// one row, and events are as many and as large as the webhooks ask for. So there it is refused for want of what is
// written next, although with the figure that is usual. Once events are made, theirs tell of the others: see forecast.
type room struct {
	dir  string
	need atomic.Int64 // bytes that a transaction under way was going to take when it was last asked; 0: none is large
}

const (
	// roomSpare is what Pebble's log holds of what is not in its tables yet, and the next step of whoever asks.
	roomSpare = 64 << 20
	// perReceived is what is usual for a byte as it comes from Postgres: the row as it was and as it is, twice while it
	// is put in order, and an event with both, compressed.
	perReceived = 3
	// perStaged is what is usual for a byte of net changes, which hold both states of a row.
	perStaged = 1.5
	// perApplied is what the mirror gets of net changes: one state of each row.
	perApplied = 0.5
)

// RoomError says that a transaction does not fit the disk. Nothing of it has been confirmed, so that Postgres keeps it.
type RoomError struct {
	Dir        string
	Need, Free int64 // bytes: those that are still to come, those that there are
}

// Error says both figures and where.
func (e *RoomError) Error() string {
	return fmt.Sprintf("a large transaction needs about %d more bytes in %s, and %d are free", e.Need, e.Dir, e.Free)
}

// received is asked before bytes of a transaction that is still being received are kept on disk.
func (r *room) received(bytes int64) error { return r.check(0, bytes*perReceived) }

// staged is asked before net changes are kept on disk: they are going to be bytes, of which kept lie there.
func (r *room) staged(kept, bytes int64) error {
	return r.check(bytes-kept, int64(float64(bytes)*perStaged))
}

// check returns a RoomError if so many bytes that are sure to come do not fit. It tells of those that may be expected.
func (r *room) check(sure, expected int64) error {
	sure, expected = sure+roomSpare, max(sure, expected)+roomSpare
	r.need.Store(expected)
	free, err := freeBytes(r.dir)
	if err != nil || sure <= free {
		return nil //nolint:nilerr // what cannot be known is no reason to stop
	}
	return makeRoom(&RoomError{Dir: r.dir, Need: expected, Free: free})
}

// done says that no large transaction is under way.
func (r *room) done() { r.need.Store(0) }

// explain adds to the error of a disk that is full what the transaction under way would have needed.
func (r *room) explain(err error) error {
	need := r.need.Load()
	if need == 0 || !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	free, statErr := freeBytes(r.dir)
	if statErr != nil {
		return err
	}
	return makeRoom(fmt.Errorf("%w: %w", err, &RoomError{Dir: r.dir, Need: need, Free: free}))
}

func makeRoom(err error) error {
	return hint.New(err, "free space under state.dir, then start again: nothing that was confirmed is lost")
}
