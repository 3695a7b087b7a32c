package capture

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/finding"
	"bluetap/internal/hint"
)

// muchLog is how many bytes of log a slot may keep before somebody should know.
const muchLog = 1 << 30

// slot looks at the slot as a start would meet it.
func (i *inspector) slot(ctx context.Context) error {
	found, err := readSlot(ctx, i.conn, i.cfg.Slot)
	if err != nil {
		return err
	}
	name := "slot " + i.cfg.Slot
	switch {
	case found != nil && (found.plugin != plugin || found.database != i.database):
		i.add(finding.Fail(finding.Slot, fmt.Sprintf("%s is somebody else's: it has plugin %q and database %q", name,
			found.plugin, found.database), "set database.slot to another name"))
		return nil
	case i.State == StateBegun:
		if err := continuity(ctx, i.cfg, i.Start); err != nil {
			return i.broken(err)
		}
		return i.keeps(ctx, found)
	case i.State == StateRunning && found != nil:
		return i.keeps(ctx, found)
	case i.State == StateRunning:
		i.add(finding.Fail(finding.Slot, name+" does not exist, and the daemon reads from it", startAgain))
	case i.State == StateMaking && found != nil:
		return i.half(found)
	case found == nil:
		i.add(finding.Passed(finding.Slot, name+" does not exist yet; the first run makes it"))
	case i.State == StateNone:
		i.add(finding.Fail(finding.Slot, name+" exists, and there is no state for it here",
			"if another bluetap uses it: set database.slot; if the state is lost for good: bluetap teardown --config FILE"))
	default:
		i.add(finding.Passed(finding.Slot, name+" exists; whether it continues the state could not be seen"))
	}
	return nil
}

// startAgain is for what a start tells better.
const startAgain = "restart bluetap: it says what can be done"

// half judges the slot of a first start that was cut short.
func (i *inspector) half(found *slotRow) error {
	if err := i.Made.check(i.cfg.Slot, found); err != nil {
		if _, ok := slotUser(err); !ok {
			i.add(finding.Fail(finding.Slot, err.Error(), hint.Of(err)))
			return nil
		}
		return i.broken(err)
	}
	i.add(finding.Passed(finding.Slot, "slot "+i.cfg.Slot+" is left of a first start that was cut short; the next run "+
		"drops it"))
	return nil
}

// broken adds why the slot does not continue the state; a look that failed for another reason is returned.
func (i *inspector) broken(err error) error {
	if pid, ok := slotUser(err); ok {
		i.add(finding.Fail(finding.Slot, fmt.Sprintf("slot %s is in use by the server process %d, and no bluetap runs here",
			i.cfg.Slot, pid), "stop the bluetap that uses it; a connection of one that is dead: "+
			fmt.Sprintf("SELECT pg_terminate_backend(%d)", pid)))
		return nil
	}
	if errors.Is(err, ErrGap) || errors.Is(err, ErrWrongSource) {
		i.add(finding.Fail(finding.Slot, err.Error(), hint.Of(err)))
		return nil
	}
	return err
}

// keeps tells how much log the slot holds back.
func (i *inspector) keeps(ctx context.Context, found *slotRow) error {
	bytes, err := keptLog(ctx, i.conn, i.cfg.Slot)
	if err != nil {
		return err
	}
	i.add(judgeLog(i.cfg.Slot, found.status, bytes, i.State))
	return nil
}

func judgeLog(slot, status string, bytes int64, state StateKind) finding.Finding {
	text := "slot " + slot + " keeps " + Size(bytes) + " of log"
	switch {
	case status == "unreserved":
		return finding.Warn(finding.Slot, text+", more than max_slot_wal_keep_size allows: it may be lost at any time",
			"start bluetap now, and raise max_slot_wal_keep_size")
	case bytes > muchLog:
		return finding.Warn(finding.Slot, text+": bluetap is behind, or an old transaction holds it",
			"start bluetap; then bluetap status --config FILE")
	case state == StateRunning:
		return finding.Passed(finding.Slot, text+", and the daemon reads it")
	}
	return finding.Passed(finding.Slot, text+" and holds all that the state lacks")
}

// keptLog returns how many bytes of log a slot holds back.
func keptLog(ctx context.Context, conn *pgconn.PgConn, slot string) (int64, error) {
	r, err := queryOne(ctx, conn, `SELECT
		COALESCE(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn), 0)::int8
		FROM pg_catalog.pg_replication_slots WHERE slot_name = `+quoteLiteral(slot))
	if err != nil {
		return 0, fmt.Errorf("measure the log of slot %s: %w", slot, err)
	}
	return r.int(0), nil
}

// largeValuesSQL gives the bytes of out-of-line values by table, partitions included.
const largeValuesSQL = `
SELECT c.relname, sum(pg_catalog.pg_relation_size(l.reltoastrelid))::int8 FROM pg_catalog.pg_class c
CROSS JOIN LATERAL (SELECT c.oid UNION SELECT relid FROM pg_catalog.pg_partition_tree(c.oid)) x (oid)
JOIN pg_catalog.pg_class l ON l.oid = x.oid AND l.reltoastrelid <> 0
WHERE c.oid = ANY (%s) GROUP BY c.relname HAVING sum(pg_catalog.pg_relation_size(l.reltoastrelid)) > 0 ORDER BY 2 DESC`

// largeValues tells which tables have values that the stream leaves out while they are unchanged: peers send null or
// need REPLICA IDENTITY FULL.
func (i *inspector) largeValues(ctx context.Context) error {
	rows, err := query(ctx, i.conn, fmt.Sprintf(largeValuesSQL, oids(i.Tables)))
	if err != nil {
		return err
	}
	names := make([]string, len(rows))
	var total int64
	for k, r := range rows {
		names[k] = r.text(0)
		total += r.int(1)
	}
	if total == 0 {
		i.add(finding.Passed(finding.LargeValues, "no table has values that are stored out of line (TOAST)"))
		return nil
	}
	i.add(finding.Passed(finding.LargeValues, fmt.Sprintf("%s of values are stored out of line (TOAST), in %s: unchanged "+
		"ones come from the mirror, without REPLICA IDENTITY FULL", Size(total), strings.Join(names, ", "))))
	return nil
}

// Size writes a number of bytes for people: 1.5 GiB.
func Size(bytes int64) string {
	const units = "KMGT"
	n, unit := float64(bytes), ""
	for k := 0; n >= 1024 && k < len(units); k++ {
		n, unit = n/1024, units[k:k+1]+"i"
	}
	if unit == "" {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %sB", n, unit)
}
