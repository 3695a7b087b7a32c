package capture

import (
	"bufio"
	"bytes"
	"context"
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
	source, err := identify(ctx, conn)
	if err != nil {
		return err
	}
	if err := s.checkSource(source); err != nil {
		return err
	}
	if err := s.checkSlot(ctx, conn, source.Database); err != nil {
		return err
	}
	received := max(LSN(s.state.received.Load()), s.start.Received)
	if received > source.FlushLSN {
		return gap(s.cfg.Slot, "the server's log ends before our position", received, source.FlushLSN)
	}
	return s.checkTimeline(ctx, conn, source.Timeline, received)
}

func (s *Stream) checkSource(found Identity) error {
	want := s.start.Source
	if want.SystemID == "" || want.SystemID == found.SystemID && want.DatabaseOID == found.DatabaseOID &&
		want.Database == found.Database {
		return nil
	}
	return hint.New(fmt.Errorf("%w: system %s, database %s (oid %d) instead of system %s, database %s (oid %d)",
		ErrWrongSource, found.SystemID, found.Database, found.DatabaseOID,
		want.SystemID, want.Database, want.DatabaseOID),
		"check database.url; for another database use another state.dir")
}

const slotSQL = `
SELECT COALESCE(plugin, ''), COALESCE(database, ''), COALESCE(wal_status, ''),
       COALESCE(confirmed_flush_lsn, '0/0'), COALESCE(active_pid, 0)
FROM pg_catalog.pg_replication_slots WHERE slot_name = `

func (s *Stream) checkSlot(ctx context.Context, conn *pgconn.PgConn, database string) error {
	rows, err := query(ctx, conn, slotSQL+quoteLiteral(s.cfg.Slot))
	if err != nil {
		return fmt.Errorf("read slot %s: %w", s.cfg.Slot, err)
	}
	stored := LSN(s.confirmed.Load())
	if len(rows) == 0 {
		return gap(s.cfg.Slot, "the slot does not exist", stored, 0)
	}
	slot := rows[0]
	flushed, err := pglogrepl.ParseLSN(slot.text(3))
	if err != nil {
		return fmt.Errorf("read slot %s: %w", s.cfg.Slot, err)
	}
	switch {
	case slot.text(0) != plugin:
		return gap(s.cfg.Slot, "the slot's plugin is "+strconv.Quote(slot.text(0))+" and not "+plugin, stored, 0)
	case slot.text(1) != database:
		return gap(s.cfg.Slot, "the slot belongs to database "+strconv.Quote(slot.text(1)), stored, 0)
	case slot.text(2) == "lost":
		return gap(s.cfg.Slot, "the slot was invalidated, its log is gone", stored, flushed)
	case flushed > stored:
		return gap(s.cfg.Slot, "the slot is ahead of what is stored", stored, flushed)
	}
	if pid := slot.int(4); pid != 0 {
		return &slotActiveError{slot: s.cfg.Slot, pid: pid}
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
