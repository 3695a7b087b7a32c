//go:build unix

package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/hint"
)

// TestRetryable is the complete policy: what passes by itself and what only a person can mend.
func TestRetryable(t *testing.T) {
	for state, want := range map[string]bool{
		"57P03": true,  // starting up, shutting down
		"57P01": true,  // terminated by an administrator
		"57014": true,  // cancelled
		"53300": true,  // too many connections
		"53400": false, // no slot left
		"55006": true,  // slot in use
		"55000": false, // wal_level
		"08006": true,  // connection failure
		"40001": true,  // serialization failure
		"58P01": true,  // log file not there yet
		"XX000": true,  // internal error
		"28P01": false, // password
		"28000": false, // pg_hba.conf
		"3D000": false, // database
		"42501": false, // privilege
		"42601": false, // syntax
		"42P01": false, // table
	} {
		err := fmt.Errorf("x: %w", &pgconn.PgError{Code: state})
		if got := Retryable(err); got != want {
			t.Errorf("%s: retryable %t, want %t", state, got, want)
		}
		if !want && state[:2] != "42" && hint.Of(explain(err)) == "" {
			t.Errorf("%s: no hint", state)
		}
	}
	for _, err := range []error{io.ErrUnexpectedEOF, errOpenTimeout, &slotActiveError{}, &pgconn.ConnectError{},
		errSnapshotGone, errRewritten, errStandby} {
		if !Retryable(fmt.Errorf("x: %w", err)) {
			t.Errorf("%v: not retryable", err)
		}
	}
	for _, err := range []error{nil, io.ErrShortWrite, context.Canceled, &GapError{}, &PublicationError{},
		cannotSpill("write", syscall.ENOSPC), &fs.PathError{Err: syscall.ENOSPC}, ErrSlotExists, ErrForeignSlot} {
		if Retryable(err) {
			t.Errorf("%v: retryable", err)
		}
	}
}

// TestRepeatedFaults holds that a fault that lasts is logged at once, when it changes, and every minute.
func TestRepeatedFaults(t *testing.T) {
	var s state
	down, other := io.ErrUnexpectedEOF, &pgconn.PgError{Code: "57P03"}
	now := time.Now()
	for i, c := range []struct {
		after time.Duration
		err   error
		want  bool
	}{
		{0, down, true}, {time.Second, errors.New("also the network"), false}, {time.Second, other, true},
		{time.Second, other, false}, {logEvery, other, true}, {time.Second, down, true},
	} {
		now = now.Add(c.after)
		if got := s.note(c.err, now); got != c.want {
			t.Errorf("step %d: %t", i, got)
		}
	}
	if !s.mended() || s.mended() {
		t.Error("the end of a fault is logged once")
	}
	if s.note(down, now); s.mended() {
		t.Error("the end of a fault that was not logged is logged")
	}
	s.settle()
	if !s.note(down, now) || !s.mended() {
		t.Error("not logged after a good connection")
	}
}
