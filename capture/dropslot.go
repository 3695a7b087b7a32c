package capture

import (
	"context"
	"fmt"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/hint"
)

// Made is what is known of a slot that was made here and never read.
type Made struct {
	// Source is the database that the slot was made in; its positions and timeline do not count.
	Source Identity
	// After is Identity.FlushLSN from before the slot was made.
	After LSN
	// Point is the slot's ConsistentPoint. 0 means that the creation was cut short before it was known.
	Point LSN
}

// Unread reports whether a slot that is confirmed up to flushed can be the one. Reading it would have moved that on.
func (m Made) Unread(flushed LSN) bool {
	if m.Point != 0 {
		return flushed == m.Point
	}
	return flushed >= m.After
}

// DropUnreadSlot drops cfg.Slot if it is the one that made tells of, in the same database, and nobody has read it. That
// there is no such slot is fine. Another database gives an error that wraps ErrWrongSource; a slot that a process uses
// or is still making, and a server that is a standby, one that is Retryable; any other slot one that wraps
// ErrForeignSlot.
func DropUnreadSlot(ctx context.Context, cfg Config, made Made) error {
	conn, cfg, err := openPrimary(ctx, cfg, connectReplication)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	source, err := identify(ctx, conn)
	if err != nil {
		return err
	}
	if err := CheckSource(source, made.Source); err != nil {
		return err
	}
	slot, err := readSlot(ctx, conn, cfg.Slot)
	if err != nil || slot == nil {
		return err
	}
	if err := made.check(cfg.Slot, slot); err != nil {
		return err
	}
	return dropSlot(ctx, conn, cfg.Slot)
}

// check returns why the slot must stay, or nil. That somebody else's slot is in use just now is not worth waiting for.
func (m Made) check(name string, slot *slotRow) error {
	making := slot.flushed == 0 && slot.pid != 0
	ours := slot.plugin == plugin && slot.database == m.Source.Database && (making || m.Unread(slot.flushed))
	if !ours {
		return hint.New(fmt.Errorf("drop slot %s: %w (plugin %q, database %q, confirmed up to %s)", name, ErrForeignSlot,
			slot.plugin, slot.database, slot.flushed), "somebody else uses the slot: set database.slot, or drop it yourself: "+
			"SELECT pg_drop_replication_slot("+quoteLiteral(name)+"), then start again")
	}
	if slot.pid != 0 {
		return &slotActiveError{slot: name, pid: slot.pid}
	}
	return nil
}

func dropSlot(ctx context.Context, conn *pgconn.PgConn, name string) error {
	err := pglogrepl.DropReplicationSlot(ctx, conn, name, pglogrepl.DropReplicationSlotOptions{})
	if err != nil && sqlState(err) != stateUndefinedObject {
		return explain(fmt.Errorf("drop slot %s: %w", name, ended(ctx, err)))
	}
	return nil
}
