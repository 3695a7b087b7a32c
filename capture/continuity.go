package capture

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/hint"
)

// checkContinuity makes sure that what the slot will send continues what we have. Postgres does not: a start beyond
// its log, or past the point where another server took over, silently skips.
func (s *Stream) checkContinuity(ctx context.Context, conn *pgconn.PgConn) error {
	// A standby may lag, and has no slot of ours: what it lacks is no gap.
	if err := checkPrimary(ctx, conn); err != nil {
		return err
	}
	source, err := identify(ctx, conn)
	if err != nil {
		return err
	}
	if s.start.Source.SystemID != "" {
		if err := CheckSource(source, s.start.Source); err != nil {
			return err
		}
	}
	inUse := s.checkSlot(ctx, conn, source.Database)
	if _, ok := slotUser(inUse); inUse != nil && !ok {
		return inUse
	}
	received := LSN(s.state.received.Load())
	if received > source.FlushLSN {
		return gap(s.cfg.Slot, "the server's log ends before our position", received, source.FlushLSN)
	}
	if err := s.checkTimeline(ctx, conn, source.Timeline, received); err != nil {
		return err
	}
	return inUse
}

// CheckContinuity tells whether what the server would send continues what start says that we have, as Run does when it
// connects, and changes nothing: nil, an error that wraps ErrGap or ErrWrongSource, or what kept it from looking,
// which may be Retryable. That somebody reads the slot just now, maybe our own last walsender, is no error.
func CheckContinuity(ctx context.Context, cfg Config, start Start) error {
	err := continuity(ctx, cfg, start)
	if _, ok := slotUser(err); ok {
		return nil
	}
	return err
}

// errStandby passes by itself: the server is promoted, or the address comes to lead to another one.
var errStandby = errors.New("the server is a standby")

// checkPrimary returns errStandby for a server in recovery.
func checkPrimary(ctx context.Context, conn *pgconn.PgConn) error {
	rows, err := query(ctx, conn, "SELECT pg_catalog.pg_is_in_recovery()")
	if err != nil {
		return fmt.Errorf("ask whether the server is a standby: %w", err)
	}
	if len(rows) != 1 || rows[0].bool(0) {
		return errStandby
	}
	return nil
}

// connectPrimary opens an ordinary connection to a server that is no standby, and fills in cfg.
func connectPrimary(ctx context.Context, cfg Config) (*pgconn.PgConn, Config, error) {
	return openPrimary(ctx, cfg, connect)
}

// openPrimary is connectPrimary by connect or connectReplication.
func openPrimary(ctx context.Context, cfg Config, by func(context.Context, Config) (*pgconn.PgConn, error),
) (*pgconn.PgConn, Config, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, cfg, err
	}
	conn, err := by(ctx, cfg)
	if err != nil {
		return nil, cfg, explain(err)
	}
	if err := checkPrimary(ctx, conn); err != nil {
		closeConn(conn)
		return nil, cfg, err
	}
	return conn, cfg, nil
}

// CheckSource tells whether the database found is the one that is wanted, by what tells one from another: the timeline
// and the positions do not. The error wraps ErrWrongSource.
func CheckSource(found, want Identity) error {
	if want.SystemID == found.SystemID && want.DatabaseOID == found.DatabaseOID && want.Database == found.Database {
		return nil
	}
	return hint.New(fmt.Errorf("%w: it is of database %s (OID %d) of system %s, this is %s (OID %d) of %s",
		ErrWrongSource, want.Database, want.DatabaseOID, want.SystemID, found.Database, found.DatabaseOID,
		found.SystemID), "point database.url at the database of the state, or set another state.dir")
}

const slotSQL = `
SELECT COALESCE(plugin, ''), COALESCE(database, ''), COALESCE(wal_status, ''),
       COALESCE(confirmed_flush_lsn, '0/0'), COALESCE(active_pid, 0)
FROM pg_catalog.pg_replication_slots WHERE slot_name = `

// slotRow is what the server says of a slot.
type slotRow struct {
	plugin, database, status string
	flushed                  LSN   // confirmed_flush_lsn; 0 while the slot is being made
	pid                      int64 // of the process that uses it, or 0
}

// readSlot returns nil if there is no slot of that name.
func readSlot(ctx context.Context, conn *pgconn.PgConn, name string) (*slotRow, error) {
	rows, err := query(ctx, conn, slotSQL+quoteLiteral(name))
	if err != nil {
		return nil, fmt.Errorf("read slot %s: %w", name, err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	r := rows[0]
	flushed, err := pglogrepl.ParseLSN(r.text(3))
	if err != nil {
		return nil, fmt.Errorf("read slot %s: %w", name, err)
	}
	return &slotRow{plugin: r.text(0), database: r.text(1), status: r.text(2), flushed: flushed, pid: r.int(4)}, nil
}

// otherSlot is what is left to do where somebody else has a slot of our name.
const otherSlot = "that slot is somebody else's: set database.slot to another name, move the state directory " +
	"away and start bluetap anew"

func (s *Stream) checkSlot(ctx context.Context, conn *pgconn.PgConn, database string) error {
	slot, err := readSlot(ctx, conn, s.cfg.Slot)
	if err != nil {
		return err
	}
	stored := LSN(s.confirmed.Load())
	switch {
	case slot == nil:
		return gap(s.cfg.Slot, "the slot does not exist", stored, 0)
	case slot.plugin != plugin:
		return hint.New(gap(s.cfg.Slot, "the slot's plugin is "+strconv.Quote(slot.plugin)+" and not "+plugin, stored, 0),
			otherSlot)
	case slot.database != database:
		return hint.New(gap(s.cfg.Slot, "the slot belongs to database "+strconv.Quote(slot.database), stored, 0), otherSlot)
	case slot.status == "lost":
		return gap(s.cfg.Slot, "the slot was invalidated, its log is gone", stored, slot.flushed)
	case slot.flushed > stored:
		return gap(s.cfg.Slot, "the slot is ahead of what is stored", stored, slot.flushed)
	case slot.pid != 0:
		return &slotActiveError{slot: s.cfg.Slot, pid: slot.pid}
	}
	return nil
}

// slotActiveError says that another walsender has the slot: maybe our own last one, which has not noticed yet that
// we are gone.
type slotActiveError struct {
	slot string
	pid  int64
}

func (e *slotActiveError) Error() string {
	return fmt.Sprintf("slot %s is in use by the server process %d", e.slot, e.pid)
}

// checkTimeline compares what we received with the points where other servers took over since our timeline, and
// reports the new timeline if it continues ours.
func (s *Stream) checkTimeline(ctx context.Context, conn *pgconn.PgConn, now uint32, received LSN) error {
	ours := s.start.Source.Timeline
	if ours == 0 || ours == now {
		return nil
	}
	if now < ours {
		return gap(s.cfg.Slot, fmt.Sprintf("the server is on timeline %d and we are on %d", now, ours), received, 0)
	}
	history, err := pglogrepl.TimelineHistory(ctx, conn, int32(now))
	if err != nil {
		return fmt.Errorf("read history of timeline %d: %w", now, err)
	}
	left, err := switchPoint(history.Content, ours)
	if err != nil {
		return err
	}
	reason := fmt.Sprintf("timeline %d does not continue ours, %d", now, ours)
	if left == 0 {
		return gap(s.cfg.Slot, reason, received, 0)
	}
	if received > left {
		return gap(s.cfg.Slot, reason+", up to our position", received, left)
	}
	if s.start.OnTimeline != nil {
		if err := s.start.OnTimeline(now); err != nil {
			return fmt.Errorf("record timeline %d: %w", now, err)
		}
	}
	s.cfg.Log.Warn("server continues on another timeline", "from", ours, "to", now, "switched", left.String())
	s.start.Source.Timeline = now
	return nil
}

// switchPoint returns where the line of servers left timeline, or 0 if timeline is none of theirs. Later switches lie
// behind it. A history file has lines of timeline, position and reason (Postgres manual, "Timelines").
func switchPoint(history []byte, timeline uint32) (LSN, error) {
	lines := bufio.NewScanner(bytes.NewReader(history))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || fields[0] != strconv.FormatUint(uint64(timeline), 10) {
			continue
		}
		at, err := pglogrepl.ParseLSN(fields[1])
		if err != nil {
			return 0, fmt.Errorf("read timeline history: %w", err)
		}
		return at, nil
	}
	return 0, lines.Err()
}
