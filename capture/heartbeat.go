package capture

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	maxInterval      = 10 * time.Second       // between two statuses, at most
	statusPace       = time.Second            // between two statuses that tell of progress, at least
	replyPace        = 100 * time.Millisecond // between two answers that tell the same, at least
	writePatience    = 10 * time.Second       // for one status to leave
	shutdownPatience = 1500 * time.Millisecond
	shutdownGap      = time.Second // between two questions of a server that shuts down, at most
)

// heartbeat decides when a status goes out, and writes it. A server that shuts down asks again and again until all
// that it sent is confirmed; it must be given up when that takes long, and not be answered as fast as it asks.
type heartbeat struct {
	s        *Stream
	conn     *pgconn.PgConn
	interval time.Duration

	sent     LSN
	sentAt   time.Time
	asked    bool      // an answer is owed
	askedFor LSN       // what the server waits for; 0 if for nothing
	first    time.Time // when it asked for the first time in a row
	last     time.Time // and for the last time
}

func newHeartbeat(s *Stream, conn *pgconn.PgConn, walSenderTimeout time.Duration) *heartbeat {
	interval := maxInterval
	if walSenderTimeout > 0 {
		interval = min(interval, walSenderTimeout/3)
	}
	return &heartbeat{s: s, conn: conn, interval: interval}
}

// ask takes the server's wish for a status; upTo is what was received so far.
func (h *heartbeat) ask(upTo LSN) {
	now := time.Now()
	h.asked = true
	if h.askedFor == 0 || now.Sub(h.last) > shutdownGap {
		h.first = now
	}
	h.last, h.askedFor = now, upTo
	// From here on Confirm wakes the reader.
	h.s.urgent.Store(uint64(upTo))
}

// patience is how long a read may wait before tick is due.
func (h *heartbeat) patience() time.Duration {
	if h.asked {
		return replyPace
	}
	return min(tickInterval, h.interval)
}

// tick sends a status if one is due, and gives up on a server that waits for a confirmation to shut down.
func (h *heartbeat) tick(now time.Time, question bool) error {
	quiet := now.Sub(h.sentAt)
	fresh := LSN(h.s.confirmed.Load()) > h.sent
	if quiet >= h.interval || fresh && (quiet >= statusPace || h.askedFor != 0) || h.asked && quiet >= replyPace {
		if err := h.send(now, question); err != nil {
			return err
		}
	}
	if h.askedFor != 0 && h.sent >= h.askedFor {
		h.askedFor = 0
		h.s.urgent.Store(0)
	}
	if h.askedFor != 0 && now.Sub(h.first) >= shutdownPatience && now.Sub(h.last) < shutdownGap {
		return errPaused
	}
	return nil
}

// send writes a status. All three positions are what is confirmed: for a logical slot only the flushed one counts,
// and pglogrepl would put the written one in its place if it were zero.
func (h *heartbeat) send(now time.Time, question bool) error {
	confirmed := max(LSN(h.s.confirmed.Load()), h.sent)
	if err := h.conn.Conn().SetWriteDeadline(now.Add(writePatience)); err != nil {
		return fmt.Errorf("set write deadline: %w", err)
	}
	err := pglogrepl.SendStandbyStatusUpdate(context.Background(), h.conn, pglogrepl.StandbyStatusUpdate{
		WALWritePosition: confirmed, WALFlushPosition: confirmed, WALApplyPosition: confirmed,
		ClientTime: now, ReplyRequested: question})
	if err != nil {
		return fmt.Errorf("send status: %w", err)
	}
	h.sent, h.sentAt, h.asked = confirmed, now, false
	h.s.state.told.Store(uint64(confirmed))
	return nil
}
