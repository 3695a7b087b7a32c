//go:build unix

package soak

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// briefCopy is about how long the first snapshot of a few hundred rows takes.
const briefCopy = 60 * time.Millisecond

// addBulk adds users, so that the first snapshot lasts long enough to be killed in all its parts. They sort before all
// others: no client picks one. The checker's work grows with the square of a transaction, so it is many of them.
func (s *stage) addBulk(ctx context.Context) error {
	const each = 500
	for from := 0; from < s.bulk; from += each {
		_, err := s.execute(ctx, fmt.Sprintf(`INSERT INTO users (id, email, first_name)
			SELECT '!bulk-' || i, '', repeat(md5(i::text), 25) FROM generate_series(%d, %d) i`, from,
			min(from+each, s.bulk)-1))
		if err != nil {
			return fmt.Errorf("make the first snapshot larger: %w", err)
		}
	}
	return nil
}

// killSnapshots kills the daemon inside its first snapshot, at any moment of it, up to so many times. It returns how
// often the snapshot was under way.
func (s *stage) killSnapshots(ctx context.Context, kills int, some func(most time.Duration)) (killed int, err error) {
	lasts := briefCopy
	if kills > 0 && s.bulk > 0 {
		if lasts, err = s.measureSnapshot(ctx); err != nil {
			return 0, err
		}
	}
	for tries := 0; killed < kills && tries < 3*kills; tries++ {
		if err := s.startSnapshot(ctx); err != nil {
			return killed, err
		}
		some(lasts)
		if s.daemon.kill(); !s.daemon.killed() {
			return killed, fmt.Errorf("bluetap ended in its first snapshot:\n%s", s.daemon.log.end())
		}
		if ready, _ := s.daemon.log.said("snapshot ready"); !ready {
			killed++
		} else if err := s.afresh(ctx); err != nil {
			return killed, err
		}
	}
	return killed, nil
}

// startSnapshot starts the daemon and waits until it copies.
func (s *stage) startSnapshot(ctx context.Context) (err error) {
	if s.daemon, err = s.install.start(); err != nil {
		return err
	}
	if !s.daemon.waitLog(ctx, "copying first snapshot") {
		return errors.Join(fmt.Errorf("no first snapshot:\n%s", s.daemon.log.end()), context.Cause(ctx))
	}
	return nil
}

// measureSnapshot returns how long a first snapshot takes that nobody interrupts, and forgets it.
func (s *stage) measureSnapshot(ctx context.Context) (time.Duration, error) {
	if err := s.startSnapshot(ctx); err != nil {
		return 0, err
	}
	began := time.Now()
	if !s.daemon.waitLog(ctx, "snapshot ready") {
		return 0, errors.Join(fmt.Errorf("no end of the first snapshot:\n%s", s.daemon.log.end()), context.Cause(ctx))
	}
	return time.Since(began), s.afresh(ctx)
}

// afresh takes state and slot away, and forgets what was delivered, as if the daemon had never run.
func (s *stage) afresh(ctx context.Context) error {
	s.daemon.kill()
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	const inUse = "55006"
	for {
		_, err := conn.Exec(ctx, `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
			WHERE slot_name = 'bluetap' AND active_pid IS NOT NULL`)
		if err == nil {
			_, err = conn.Exec(ctx, `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
				WHERE slot_name = 'bluetap'`)
		}
		var pgErr *pgconn.PgError
		if errors.As(err, &pgErr) && pgErr.Code == inUse {
			select {
			case <-time.After(20 * time.Millisecond):
				continue
			case <-ctx.Done():
			}
		}
		if err != nil {
			return fmt.Errorf("drop slot: %w", err)
		}
		break
	}
	if err := os.RemoveAll(s.install.state); err != nil {
		return fmt.Errorf("forget state: %w", err)
	}
	s.receiver.take()
	return nil
}

// begin makes the first snapshot while clients write. It returns the commit from which on events are due.
func (s *stage) begin(ctx context.Context) (begins uint64, err error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if s.daemon, err = s.install.start(); err != nil {
		return 0, err
	}
	// A new slot's confirmed position is where its snapshot was taken, until the daemon has copied all, streams and
	// confirms. It may have to begin anew, with another slot: the last one counts.
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		point, err := slotPoint(ctx, conn)
		if err != nil {
			return 0, err
		}
		if ready, _ := s.daemon.log.said("snapshot ready"); ready {
			break
		}
		begins = point
		select {
		case <-ticker.C:
		case <-s.daemon.exited:
			return 0, fmt.Errorf("bluetap ended before its first snapshot:\n%s", s.daemon.log.end())
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	if !s.daemon.waitLog(ctx, "streaming") {
		return 0, errors.Join(fmt.Errorf("bluetap did not stream:\n%s", s.daemon.log.end()), context.Cause(ctx))
	}
	return begins, nil
}

// slotPoint returns the confirmed position of the daemon's slot, 0 while there is none.
func slotPoint(ctx context.Context, conn *pgx.Conn) (uint64, error) {
	var point uint64
	err := conn.QueryRow(ctx, `SELECT coalesce(max(confirmed_flush_lsn - '0/0')::bigint, 0)
		FROM pg_replication_slots WHERE slot_name = 'bluetap'`).Scan(&point)
	if err != nil {
		return 0, fmt.Errorf("look at the slot: %w", err)
	}
	return point, nil
}
