package capture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/hint"
)

// Leftovers is what a bluetap has made in a database.
type Leftovers struct {
	Source Identity
	// Slot tells whether cfg.Slot exists, Keeps how many bytes of log it holds back, and Flushed up to where its reader
	// has confirmed.
	Slot    bool
	Keeps   int64
	Flushed LSN
	// Publication tells whether cfg.Publication exists, Owner whose it is, and MayDrop whether the role may drop it.
	Publication bool
	Owner       string
	MayDrop     bool
	// Others are the database's other slots that may read the publication: which one they read, nobody can tell.
	Others []string
}

const publicationOwnerSQL = `
SELECT pg_catalog.pg_get_userbyid(pubowner), pg_catalog.pg_has_role(current_user, pubowner, 'USAGE'),
  (SELECT COALESCE(pg_catalog.json_agg(slot_name ORDER BY slot_name), '[]') FROM pg_catalog.pg_replication_slots
    WHERE plugin = '` + plugin + `' AND database = pg_catalog.current_database() AND slot_name <> %s AND NOT temporary)
FROM pg_catalog.pg_publication WHERE pubname = %s`

// FindLeftovers looks for slot and publication. A slot of another database or plugin gives an error that wraps
// ErrForeignSlot, one that a process uses an error too.
func FindLeftovers(ctx context.Context, cfg Config) (Leftovers, error) {
	conn, cfg, err := openPrimary(ctx, cfg, connectReplication)
	if errors.Is(err, errStandby) {
		err = hint.New(err, "point database.url at the primary")
	}
	if err != nil {
		return Leftovers{}, err
	}
	defer closeConn(conn)
	var found Leftovers
	if found.Source, err = identify(ctx, conn); err != nil {
		return found, err
	}
	if err := found.readPublication(ctx, conn, cfg); err != nil {
		return found, err
	}
	slot, err := idleSlot(ctx, conn, cfg.Slot, found.Source.Database)
	if err != nil || slot == nil {
		return found, err
	}
	found.Slot, found.Flushed = true, slot.flushed
	found.Keeps, err = keptLog(ctx, conn, cfg.Slot)
	return found, err
}

func (l *Leftovers) readPublication(ctx context.Context, conn *pgconn.PgConn, cfg Config) error {
	rows, err := query(ctx, conn, fmt.Sprintf(publicationOwnerSQL, quoteLiteral(cfg.Slot), quoteLiteral(cfg.Publication)))
	if err == nil && len(rows) > 0 {
		l.Publication, l.Owner, l.MayDrop = true, rows[0].text(0), rows[0].bool(1)
		err = json.Unmarshal(rows[0][2], &l.Others)
	}
	if err != nil {
		return fmt.Errorf("look for publication %s: %w", cfg.Publication, err)
	}
	return nil
}

// idleSlot returns the slot of that name, of our kind and the database, that nobody uses, or nil if there is none.
func idleSlot(ctx context.Context, conn *pgconn.PgConn, name, database string) (*slotRow, error) {
	slot, err := readSlot(ctx, conn, name)
	if err != nil || slot == nil {
		return nil, err
	}
	if slot.plugin != plugin || slot.database != database {
		return nil, hint.New(fmt.Errorf("slot %s: %w (plugin %q, database %q)", name, ErrForeignSlot, slot.plugin,
			slot.database), "set database.slot to the one that bluetap uses")
	}
	if slot.pid != 0 {
		return nil, hint.New(&slotActiveError{slot: name, pid: slot.pid}, "stop the bluetap that uses it")
	}
	return slot, nil
}

// ReturnTime is longer than a stream that was interrupted is away from its slot.
const ReturnTime = maxPause + maxPause/2

// watchEvery is how often WatchIdle looks.
const watchEvery = 200 * time.Millisecond

// WatchIdle looks at cfg.Slot for as long as limit, and returns an error as soon as somebody uses it.
func WatchIdle(ctx context.Context, cfg Config, limit time.Duration) error {
	conn, cfg, err := connectPrimary(ctx, cfg)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	own, err := queryOne(ctx, conn, "SELECT pg_catalog.current_database()")
	if err != nil {
		return fmt.Errorf("watch slot %s: %w", cfg.Slot, err)
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for end := time.Now().Add(limit); time.Now().Before(end); {
		if _, err := idleSlot(ctx, conn, cfg.Slot, own.text(0)); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
	return nil
}

// DropSlot drops cfg.Slot, whoever has read it, in the database that want is. That there is none is fine. The errors
// are those of FindLeftovers, and one that wraps ErrWrongSource.
func DropSlot(ctx context.Context, cfg Config, want Identity) error {
	conn, cfg, err := openPrimary(ctx, cfg, connectReplication)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	found, err := identify(ctx, conn)
	if err != nil {
		return err
	}
	if err := CheckSource(found, want); err != nil {
		return err
	}
	slot, err := idleSlot(ctx, conn, cfg.Slot, found.Database)
	if err != nil || slot == nil {
		return err
	}
	return dropSlot(ctx, conn, cfg.Slot)
}

// DropPublicationSQL is the statement that drops cfg.Publication.
func DropPublicationSQL(cfg Config) string {
	return "DROP PUBLICATION IF EXISTS " + quoteIdent(cfg.Publication)
}

// DropPublication drops cfg.Publication, for which the role must own it. That there is none is fine.
func DropPublication(ctx context.Context, cfg Config) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	if _, err := lookup(ctx, cfg, DropPublicationSQL(cfg)); err != nil {
		return hint.New(fmt.Errorf("drop publication %s: %w", cfg.Publication, err), "have its owner run: "+
			DropPublicationSQL(cfg))
	}
	return nil
}
