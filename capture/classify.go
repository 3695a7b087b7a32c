package capture

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"net"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/hint"
)

// SQLSTATEs that decide what happens next (Postgres manual, appendix A).
const (
	stateUndefinedObject    = "42704"
	stateDuplicateObject    = "42710"
	stateInsufficientRights = "42501"
	stateUnknownDatabase    = "3D000"
	stateObjectInUse        = "55006"
	stateInvalidParameter   = "22023"
	stateNotInPrerequisite  = "55000"
	stateLimitExceeded      = "53400"
	stateTooManyConnections = "53300"
	stateLockNotAvailable   = "55P03"
	classAuthorization      = "28"
)

// passing are the classes of SQLSTATE that pass by themselves: connection, transaction rollback, resources (too many
// connections among them), operator intervention (starting up, shutting down), system and internal errors.
var passing = []string{"08", "40", "53", "57", "58", "XX"}

// passingErrors are what this package finds by itself and what passes by itself.
var passingErrors = []error{errSnapshotGone, errRewritten, errStandby}

// refusals are the answers of a server that only a person can change, and what that person may do.
var refusals = map[string]string{
	stateUnknownDatabase: "check the database's name in database.url",
	stateInsufficientRights: "grant the role of database.url what the message says: REPLICATION, USAGE on the schema, " +
		"SELECT on Blue's tables",
	stateNotInPrerequisite: "ALTER SYSTEM SET wal_level = logical, where it is not, then restart Postgres",
	stateLimitExceeded: "raise max_replication_slots and restart Postgres, or drop a slot that nobody uses: " +
		"SELECT slot_name, active FROM pg_replication_slots",
}

// sqlState returns err's SQLSTATE, or "".
func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// class returns the class of a SQLSTATE.
func class(state string) string { return state[:min(2, len(state))] }

// Retryable reports whether err may pass by itself: the server cannot be reached, is starting or shutting down, has no
// connection left, or another process has the slot. What only a person can mend is not retryable.
func Retryable(err error) bool {
	if err == nil || permanent(err) || errors.Is(err, context.Canceled) {
		return false
	}
	if slices.ContainsFunc(passingErrors, func(known error) bool { return errors.Is(err, known) }) {
		return true
	}
	if state := sqlState(err); state != "" {
		return state == stateObjectInUse || state != stateLimitExceeded && slices.Contains(passing, class(state))
	}
	var (
		untrusted  *tls.CertificateVerificationError
		unreadable *pgconn.ParseConfigError
		ownDisk    *fs.PathError // whose errno would pass for one of the network
	)
	if errors.As(err, &untrusted) || errors.As(err, &unreadable) || errors.As(err, &ownDisk) {
		return false
	}
	var (
		unreachable *pgconn.ConnectError
		broken      net.Error
		active      *slotActiveError
	)
	return errors.As(err, &unreachable) || errors.As(err, &broken) || errors.As(err, &active) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded) || pgconn.SafeToRetry(err)
}

// explain adds the advice for a server's refusal to err, if there is one.
func explain(err error) error {
	state := sqlState(err)
	advice := refusals[state]
	if class(state) == classAuthorization {
		advice = "check user and password in database.url, pg_hba.conf, and that the role has REPLICATION"
	}
	if advice == "" || hint.Of(err) != "" {
		return err
	}
	return hint.New(err, advice)
}

// permanent reports whether err is one that no retry can mend, whenever it comes.
func permanent(err error) bool {
	var (
		pub   *PublicationError
		spill *spillError
	)
	return errors.Is(err, ErrGap) || errors.Is(err, ErrWrongSource) || errors.As(err, &pub) || errors.As(err, &spill)
}
