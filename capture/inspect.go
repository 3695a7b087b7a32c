package capture

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/finding"
	"bluetap/internal/hint"
)

// Inspection is what Inspect is to know beside the server.
type Inspection struct {
	// Tables are those that Run would follow; with none, only the server is looked at.
	Tables []Table
	// State is what is known of the state that the slot belongs to.
	State StateKind
	// Start is what a state that is StateBegun or StateRunning goes on from.
	Start Start
	// Made is the slot of StateMaking.
	Made Made
	// Old is the age from which a transaction is told of. 0 means five minutes.
	Old time.Duration
}

// StateKind is how far a state has come.
type StateKind int

// The kinds of state.
const (
	StateUnknown StateKind = iota // it could not be read: nothing is said of the slot that depends on it
	StateNone                     // there is none
	StateMaking                   // a first start was cut short, and the next one begins anew
	StateBegun                    // a mirror goes on from Start, and no daemon runs
	StateRunning                  // a daemon runs on it, with the slot and a sender
)

// begun tells whether there is a mirror that depends on what the publication has sent so far.
func (i *inspector) begun() bool { return i.State == StateBegun || i.State == StateRunning }

// Inspect looks at the server as Run would meet it, without changing anything: what is tried is rolled back. It returns
// one finding or more of everything it looked at; of a server that cannot be reached there is one only.
func Inspect(ctx context.Context, cfg Config, in Inspection) []finding.Finding {
	cfg.Brief = true
	cfg, err := cfg.withDefaults()
	if err != nil {
		return []finding.Finding{finding.Fail(finding.Connection, err.Error(), "")}
	}
	conn, err := connect(ctx, cfg)
	if err != nil {
		return []finding.Finding{unreachable(err)}
	}
	defer closeConn(conn)
	if in.Old <= 0 {
		in.Old = defaultOld
	}
	i := &inspector{Inspection: in, cfg: cfg, conn: conn}
	if err := i.begin(ctx); err != nil {
		return []finding.Finding{unreachable(err)}
	}
	for _, p := range probes {
		if p.tables && len(in.Tables) == 0 {
			continue
		}
		if err := p.look(i, ctx); err != nil {
			i.add(finding.Warn(p.code, "cannot be looked at: "+err.Error(), hint.Of(explain(err))))
		}
		if conn.IsClosed() || i.standby || ctx.Err() != nil {
			break
		}
	}
	return i.found
}

// unreachable is the finding of a server that does not let us in.
func unreachable(err error) finding.Finding {
	if errors.Is(err, errServerVersion) {
		return finding.Fail(finding.ServerVersion, err.Error(), hint.Of(err))
	}
	text, next := err.Error(), hint.Of(explain(err))
	if Retryable(err) {
		text += "; a run would wait for the server"
	}
	if next == "" && sqlState(err) == "" {
		next = "check the address in database.url, and that the server is running"
	}
	return finding.Fail(finding.Connection, text, next)
}

// probes are all that is looked at. Each may find several things; an error means that it could not look.
var probes = []struct {
	code   finding.Code
	tables bool // it is about Tables
	look   func(i *inspector, ctx context.Context) error
}{
	{finding.Encryption, false, (*inspector).encryption},
	{finding.ServerVersion, false, (*inspector).version},
	{finding.Standby, false, (*inspector).primary},
	{finding.Encoding, false, (*inspector).encoding},
	{finding.WALLevel, false, (*inspector).walLevel},
	{finding.Senders, false, (*inspector).senders},
	{finding.Replication, false, (*inspector).replication},
	{finding.Role, false, (*inspector).superuser},
	{finding.Slots, false, (*inspector).slots},
	{finding.Connections, false, (*inspector).connections},
	{finding.SyncStandby, false, (*inspector).syncStandby},
	{finding.WALRetention, false, (*inspector).retention},
	{finding.SlotTimeout, false, (*inspector).slotTimeout},
	{finding.SenderTimeout, false, (*inspector).senderTimeout},
	{finding.LongTransact, false, (*inspector).longTransactions},
	{finding.PreparedXact, false, (*inspector).prepared},
	{finding.ReplicaID, true, (*inspector).identities},
	{finding.Privileges, true, (*inspector).privileges},
	{finding.Publication, true, (*inspector).publication},
	{finding.Slot, true, (*inspector).slot},
	{finding.LargeValues, true, (*inspector).largeValues},
}

// inspector is one Inspect.
type inspector struct {
	Inspection
	cfg      Config
	conn     *pgconn.PgConn
	found    []finding.Finding
	standby  bool
	settings map[string]string
	noSender bool   // all WAL senders are taken
	role     string // quoted
	database string
}

func (i *inspector) add(f finding.Finding) { i.found = append(i.found, f) }

// inspectSettings are the server's settings that probes ask for, as SHOW prints them.
const inspectSettings = `
SELECT name, pg_catalog.current_setting(name) FROM pg_catalog.pg_settings WHERE name IN ('server_version_num',
  'wal_level', 'max_replication_slots', 'max_wal_senders', 'max_connections', 'superuser_reserved_connections',
  'reserved_connections', 'synchronous_standby_names', 'max_slot_wal_keep_size', 'idle_replication_slot_timeout',
  'wal_sender_timeout', 'server_encoding')`

// begin reads what several probes ask for.
func (i *inspector) begin(ctx context.Context) error {
	rows, err := query(ctx, i.conn, inspectSettings)
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	i.settings = make(map[string]string, len(rows))
	for _, r := range rows {
		i.settings[r.text(0)] = r.text(1)
	}
	i.role = currentRole(ctx, i.conn)
	return nil
}

// number returns a setting that is a plain number; one that the server does not have is 0.
func (i *inspector) number(name string) int {
	n, err := strconv.Atoi(i.settings[name])
	if err != nil {
		return 0
	}
	return n
}

// count runs a query for one number.
func (i *inspector) count(ctx context.Context, sql string) (int, error) {
	r, err := queryOne(ctx, i.conn, sql)
	if err != nil {
		return 0, err
	}
	return int(r.int(0)), nil
}

// AtMost returns how many rows a table has, and limit if it has more.
func AtMost(ctx context.Context, cfg Config, t Table, limit int) (int, error) {
	n, err := lookupNumber(ctx, cfg, fmt.Sprintf("SELECT count(*) FROM (SELECT FROM %s LIMIT %d) x", t.only(), limit))
	if err != nil {
		return 0, explain(fmt.Errorf("count rows of %s: %w", t.sql(), err))
	}
	return int(n), nil
}

// StoredBytes returns what tables take on the server's disk, their partitions and out-of-line values included and
// their indexes not.
func StoredBytes(ctx context.Context, cfg Config, tables []Table) (int64, error) {
	n, err := lookupNumber(ctx, cfg, fmt.Sprintf(`SELECT COALESCE(sum(pg_catalog.pg_table_size(x.oid)), 0)::int8
		FROM pg_catalog.pg_class c CROSS JOIN LATERAL (
			SELECT c.oid UNION SELECT relid FROM pg_catalog.pg_partition_tree(c.oid)) x (oid)
		WHERE c.oid = ANY (%s)`, oids(tables)))
	if err != nil {
		return 0, explain(fmt.Errorf("measure tables: %w", err))
	}
	return n, nil
}

// lookupNumber asks for one number over a connection of its own.
func lookupNumber(ctx context.Context, cfg Config, sql string) (int64, error) {
	conn, err := connect(ctx, cfg)
	if err != nil {
		return 0, err
	}
	defer closeConn(conn)
	r, err := queryOne(ctx, conn, sql)
	if err != nil {
		return 0, err
	}
	return r.int(0), nil
}

// continuity returns what Run would when it connects with start: nil, an error that wraps ErrGap or
// ErrWrongSource, or what kept it from looking, which may be Retryable: that another process uses the slot among it.
func continuity(ctx context.Context, cfg Config, start Start) error {
	start.OnTimeline = nil
	s := NewStream(cfg, start)
	conn, err := connectReplication(ctx, s.cfg)
	if err != nil {
		return explain(err)
	}
	defer closeConn(conn)
	return explain(s.checkContinuity(ctx, conn))
}

// slotUser returns the server process that uses the slot, if err says that one does.
func slotUser(err error) (pid int64, ok bool) {
	var active *slotActiveError
	if !errors.As(err, &active) {
		return 0, false
	}
	return active.pid, true
}
