package capture

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
)

// openTimeout bounds everything from connecting to the first byte of the stream.
const openTimeout = 60 * time.Second

// errOpenTimeout is a timeout like those of the network: it is retried.
var errOpenTimeout = fmt.Errorf("no stream within %s: %w", openTimeout, context.DeadlineExceeded)

// session runs one connection until it breaks, and says how it did.
func (s *Stream) session(ctx context.Context) error {
	conn, timeout, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	s.attach(conn)
	defer s.detach()
	stop := context.AfterFunc(ctx, s.interrupt)
	defer stop()
	return newReceiver(s, conn, timeout).run(ctx)
}

// open connects, makes sure that the stream continues what we have, and starts it. It also returns the server's
// wal_sender_timeout.
func (s *Stream) open(ctx context.Context) (*pgconn.PgConn, time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, openTimeout, errOpenTimeout)
	defer cancel()
	conn, err := connectReplication(ctx, s.cfg)
	if err != nil {
		return nil, 0, err
	}
	timeout, err := s.prepare(ctx, conn)
	if err != nil {
		closeConn(conn)
		return nil, 0, err
	}
	return conn, timeout, nil
}

func (s *Stream) prepare(ctx context.Context, conn *pgconn.PgConn) (time.Duration, error) {
	if err := s.checkContinuity(ctx, conn); err != nil {
		return 0, err
	}
	members, err := checkPublication(ctx, conn, s.cfg, s.start.Tables, asItIs)
	if err != nil {
		return 0, err
	}
	stored := LSN(s.confirmed.Load())
	if err := compareMembership(s.cfg.Slot, s.start.Tables, s.start.Membership, members, stored); err != nil {
		return 0, err
	}
	if err := s.types.load(ctx, conn); err != nil {
		return 0, err
	}
	rows, err := query(ctx, conn, "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'")
	if err != nil || len(rows) == 0 {
		return 0, errors.Join(errors.New("cannot read wal_sender_timeout"), err)
	}
	// Our own position, and never the slot's if that is further: Postgres would skip what we lack.
	position := LSN(s.state.received.Load())
	err = pglogrepl.StartReplication(ctx, conn, s.cfg.Slot, position, pglogrepl.StartReplicationOptions{
		Mode: pglogrepl.LogicalReplication,
		PluginArgs: []string{"proto_version '1'",
			"publication_names " + quoteLiteral(quoteIdent(s.cfg.Publication))},
	})
	if err != nil {
		return 0, fmt.Errorf("start replication: %w", err)
	}
	return time.Duration(rows[0].int(0)) * time.Millisecond, nil
}

func (s *Stream) attach(conn *pgconn.PgConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.wake = conn.Conn(), false
}

func (s *Stream) detach() {
	s.state.connected.Store(false)
	s.urgent.Store(0)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = nil
}

// streaming is called when the first status of a connection is on the wire.
func (s *Stream) streaming() {
	s.state.connected.Store(true)
	position := LSN(s.state.received.Load()).String()
	if s.streamed {
		s.state.reconnects.Add(1)
		if s.state.mended() {
			s.cfg.Log.Info("streaming again", "slot", s.cfg.Slot, "position", position)
		}
		return
	}
	s.streamed = true
	s.cfg.Log.Info("streaming", "slot", s.cfg.Slot, "position", position)
}
