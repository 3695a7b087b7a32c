package capture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/hint"
)

// plugin is the output plugin that this package decodes.
const plugin = "pgoutput"

// slotWaitReport is how often a slot creation that has to wait says for whom.
const slotWaitReport = 5 * time.Second

// Snapshot is a slot that was just made and the state of the database at exactly the position where it begins. The
// snapshot can be copied until Close; the slot stays.
type Snapshot struct {
	ConsistentPoint LSN    // commits up to here are in the snapshot, later ones come by the stream
	Name            string // as SET TRANSACTION SNAPSHOT takes it
	Source          Identity

	cfg   Config
	conn  *pgconn.PgConn    // the snapshot lives until this connection's next command
	files map[uint32]string // what readFiles said before the slot was made
}

// CreateSnapshot makes cfg.Slot and exports the snapshot that belongs to it, for Copy of tables or of some of them.
// Postgres waits for every transaction that runs at this moment; which ones is logged every five seconds. Logical
// slots made by an SQL function export no snapshot, so this is the only way (Postgres manual,
// "CREATE_REPLICATION_SLOT"). A slot of that name that exists gives an error that wraps ErrSlotExists.
func CreateSnapshot(ctx context.Context, cfg Config, tables []Table) (*Snapshot, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	conn, err := connectReplication(ctx, cfg)
	if err != nil {
		return nil, explain(err)
	}
	s, err := createSnapshot(ctx, cfg, conn, tables)
	if err != nil {
		closeConn(conn)
		return nil, explain(err)
	}
	return s, nil
}

func createSnapshot(ctx context.Context, cfg Config, conn *pgconn.PgConn, tables []Table) (*Snapshot, error) {
	if err := checkPrimary(ctx, conn); err != nil {
		return nil, err
	}
	source, err := identify(ctx, conn)
	if err != nil {
		return nil, err
	}
	files, err := readFiles(ctx, conn, tables)
	if err != nil {
		return nil, err
	}
	point, name, err := createSlot(ctx, cfg, conn)
	if err != nil {
		return nil, fmt.Errorf("create slot %s: %w", cfg.Slot, err)
	}
	cfg.Log.Info("slot created", "slot", cfg.Slot, "position", point.String())
	return &Snapshot{ConsistentPoint: point, Name: name, Source: source, cfg: cfg, conn: conn, files: files}, nil
}

// createSlot returns the position where the slot begins and the name of its snapshot.
func createSlot(ctx context.Context, cfg Config, conn *pgconn.PgConn) (LSN, string, error) {
	watching, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		reportWaits(watching, cfg, conn.PID())
	}()
	made, err := pglogrepl.CreateReplicationSlot(ctx, conn, cfg.Slot, plugin, pglogrepl.CreateReplicationSlotOptions{
		Mode: pglogrepl.LogicalReplication, SnapshotAction: "EXPORT_SNAPSHOT"})
	stop()
	<-done
	if sqlState(err) == stateDuplicateObject {
		return 0, "", fmt.Errorf("%w: %w", ErrSlotExists, err)
	}
	if err != nil {
		return 0, "", ended(ctx, err)
	}
	point, err := pglogrepl.ParseLSN(made.ConsistentPoint)
	return point, made.SnapshotName, err
}

// Close ends the snapshot; the slot stays. It is safe to call more than once.
func (s *Snapshot) Close() error {
	closeConn(s.conn)
	return nil
}

// A walsender that creates a slot waits by locking the transaction id of what it waits for.
const waitsSQL = `
SELECT COALESCE(h.pid, 0), COALESCE(p.gid, ''),
       COALESCE(EXTRACT(epoch FROM now() - COALESCE(a.xact_start, p.prepared))::int8, 0)
FROM pg_catalog.pg_locks w
LEFT JOIN pg_catalog.pg_locks h ON h.locktype = 'transactionid' AND h.transactionid = w.transactionid AND h.granted
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = h.pid
LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = w.transactionid
WHERE w.locktype = 'transactionid' AND NOT w.granted AND w.pid = `

// reportWaits logs what the walsender pid waits for, until ctx ends.
func reportWaits(ctx context.Context, cfg Config, pid uint32) {
	ticker := time.NewTicker(slotWaitReport)
	defer ticker.Stop()
	sql := waitsSQL + strconv.FormatUint(uint64(pid), 10)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		rows, err := lookup(ctx, cfg, sql)
		if err != nil && ctx.Err() == nil {
			cfg.Log.Warn("cannot see what slot creation waits for", "slot", cfg.Slot, "err", err)
		}
		for _, r := range rows {
			attrs := []any{slog.String("slot", cfg.Slot), slog.Int64("pid", r.int(0)),
				slog.Duration("age", time.Duration(r.int(2))*time.Second)}
			if gid := r.text(1); gid != "" {
				attrs = append(attrs, slog.String("prepared", gid))
			}
			cfg.Log.Warn("slot creation waits for a transaction", attrs...)
		}
	}
}

// lookup asks one question over a connection of its own.
func lookup(ctx context.Context, cfg Config, sql string) ([]row, error) {
	conn, err := connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer closeConn(conn)
	return query(ctx, conn, sql)
}

// SlotExists reports whether the server has a slot of cfg.Slot's name, whosever it is.
func SlotExists(ctx context.Context, cfg Config) (bool, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return false, err
	}
	conn, err := connect(ctx, cfg)
	if err != nil {
		return false, explain(err)
	}
	defer closeConn(conn)
	rows, err := query(ctx, conn,
		"SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = "+quoteLiteral(cfg.Slot))
	if err != nil {
		return false, explain(fmt.Errorf("look for slot %s: %w", cfg.Slot, err))
	}
	return len(rows) > 0, nil
}

// CheckSlotRoom tells, before anything is made, what would keep CreateSnapshot from making its slot: a role without
// REPLICATION, a server that does not decode its log or has no slot left. A standby gives an error that is Retryable.
func CheckSlotRoom(ctx context.Context, cfg Config) error {
	conn, _, err := openPrimary(ctx, cfg, connectReplication)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	r, err := queryOne(ctx, conn, `SELECT pg_catalog.current_setting('wal_level'),
		pg_catalog.current_setting('max_replication_slots'), count(*) FROM pg_catalog.pg_replication_slots`)
	if err != nil {
		return explain(fmt.Errorf("look at the server's slots: %w", err))
	}
	switch level, most, taken := r.text(0), r.int(1), r.int(2); {
	case level != "logical":
		return hint.New(fmt.Errorf("the server's wal_level is %s and has to be logical", level),
			"ALTER SYSTEM SET wal_level = logical, then restart Postgres")
	case taken >= most:
		return hint.New(fmt.Errorf("the server has no replication slot left: max_replication_slots is %d", most),
			refusals[stateLimitExceeded])
	}
	return nil
}

// Identify asks the server who it is.
func Identify(ctx context.Context, cfg Config) (Identity, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return Identity{}, err
	}
	conn, err := connectReplication(ctx, cfg)
	if err != nil {
		return Identity{}, explain(err)
	}
	defer closeConn(conn)
	return identify(ctx, conn)
}

func identify(ctx context.Context, conn *pgconn.PgConn) (Identity, error) {
	system, err := pglogrepl.IdentifySystem(ctx, conn)
	if err != nil {
		return Identity{}, fmt.Errorf("identify system: %w", err)
	}
	rows, err := query(ctx, conn, `SELECT oid, pg_catalog.current_setting('server_version_num')
		FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()`)
	if err != nil {
		return Identity{}, fmt.Errorf("identify database: %w", err)
	}
	if len(rows) != 1 {
		return Identity{}, errors.New("identify database: it is not in pg_database")
	}
	return Identity{
		SystemID:      strings.Clone(system.SystemID),
		DatabaseOID:   rows[0].oid(0),
		Database:      system.DBName,
		Timeline:      uint32(system.Timeline),
		FlushLSN:      system.XLogPos,
		ServerVersion: int(rows[0].int(1)),
	}, nil
}
