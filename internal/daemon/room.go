package daemon

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"

	"bluetap/internal/hint"
)

// What a large transaction takes on disk beside itself, in bytes for a byte of it, compressed. It is what one webhook
// that gets one event a row makes of rows of 600 bytes: the rows as they were and as they are, twice while they are put
// in order, and an event with both values and what surrounds them. TestGiant prints what was taken.
const (
	perReceived = 3 // for a byte as it comes from Postgres
	perStaged   = 2 // for a byte of net changes, which hold both states of a row
)

// room looks after the disk that a large transaction goes to, so that one that cannot fit is refused before the disk is
// full, and with figures.
type room struct {
	dir  string
	need atomic.Int64 // bytes that a transaction under way was going to take when it was last asked; 0: none is large
}

// RoomError says that a transaction does not fit the disk. Nothing of it has been confirmed, so that Postgres keeps it.
type RoomError struct {
	Dir        string
	Need, Free int64 // bytes
}

// Error says both figures and where.
func (e *RoomError) Error() string {
	return fmt.Sprintf("a large transaction needs about %d bytes in %s, and %d are free", e.Need, e.Dir, e.Free)
}

// received is asked before bytes of a transaction that is still being received are kept on disk.
func (r *room) received(bytes int64) error { return r.check(bytes * perReceived) }

// staged is asked before net changes are kept on disk, with how many bytes they are so far.
func (r *room) staged(bytes int64) error { return r.check(bytes * perStaged) }

// check returns a RoomError if so many bytes more do not fit.
func (r *room) check(need int64) error {
	r.need.Store(need)
	free, err := freeBytes(r.dir)
	if err != nil || need <= free {
		return nil //nolint:nilerr // what cannot be known is no reason to stop
	}
	return makeRoom(&RoomError{Dir: r.dir, Need: need, Free: free})
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
