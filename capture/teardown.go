package capture

import (
	"context"
	"fmt"

	"bluetap/internal/hint"
)

// Leftovers is what a bluetap has made in a database.
type Leftovers struct {
	Source Identity
	// Slot tells whether cfg.Slot exists, Keeps how many bytes of log it holds back.
	Slot  bool
	Keeps int64
	// Publication tells whether cfg.Publication exists.
	Publication bool
}

// FindLeftovers looks for slot and publication. A slot of another database or plugin gives an error that wraps
// ErrForeignSlot; one that a process uses, one for which InUse answers.
func FindLeftovers(ctx context.Context, cfg Config) (Leftovers, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return Leftovers{}, err
	}
	conn, err := connectReplication(ctx, cfg)
	if err != nil {
		return Leftovers{}, explain(err)
	}
	defer closeConn(conn)
	if err := checkPrimary(ctx, conn); err != nil {
		return Leftovers{}, hint.New(err, "point database.url at the primary")
	}
	var found Leftovers
	if found.Source, err = identify(ctx, conn); err != nil {
		return found, err
	}
	if found.Publication, err = publicationExists(ctx, conn, cfg); err != nil {
		return found, err
	}
	slot, err := readSlot(ctx, conn, cfg.Slot)
	if err != nil || slot == nil {
		return found, err
	}
	if slot.plugin != plugin || slot.database != found.Source.Database {
		return found, hint.New(fmt.Errorf("slot %s: %w (plugin %q, database %q)", cfg.Slot, ErrForeignSlot, slot.plugin,
			slot.database), "set database.slot to the one that bluetap uses")
	}
	if slot.pid != 0 {
		return found, hint.New(&slotActiveError{slot: cfg.Slot, pid: slot.pid}, "stop the bluetap that uses it; "+
			fmt.Sprintf("a connection of one that is dead: SELECT pg_terminate_backend(%d)", slot.pid))
	}
	found.Slot = true
	found.Keeps, err = keptLog(ctx, conn, cfg.Slot)
	return found, err
}

// DropSlot drops cfg.Slot, whoever has read it. That there is none is fine; one that a process uses gives an error for
// which InUse answers.
func DropSlot(ctx context.Context, cfg Config) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	conn, err := connectReplication(ctx, cfg)
	if err != nil {
		return explain(err)
	}
	defer closeConn(conn)
	return dropSlot(ctx, conn, cfg.Slot)
}

// DropPublication drops cfg.Publication, for which the role must own it. That there is none is fine.
func DropPublication(ctx context.Context, cfg Config) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	sql := "DROP PUBLICATION IF EXISTS " + quoteIdent(cfg.Publication)
	if _, err := lookup(ctx, cfg, sql); err != nil {
		return hint.New(fmt.Errorf("drop publication %s: %w", cfg.Publication, err), "have its owner run: "+sql)
	}
	return nil
}
