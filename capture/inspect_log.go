package capture

import (
	"context"
	"fmt"
	"time"

	"bluetap/internal/finding"
)

// smallKeep is the size of log in bytes that a busy server writes within minutes.
const smallKeep = 1 << 30

func (i *inspector) retention(ctx context.Context) error {
	const name = "max_slot_wal_keep_size"
	shown := i.settings[name]
	bytes, err := i.count(ctx, "SELECT CASE WHEN setting = '-1' THEN -1 ELSE pg_catalog.pg_size_bytes(setting || unit) "+
		"END FROM pg_catalog.pg_settings WHERE name = '"+name+"'")
	const raise = "ALTER SYSTEM SET " + name + " = '20GB'; SELECT pg_reload_conf();"
	switch {
	case err != nil:
		return err
	case bytes < 0:
		i.add(finding.Warn(finding.WALRetention,
			name+" is -1: while bluetap is away the server keeps its log until its disk is full. Bound it by what the disk can "+
				"bear; a slot, anybody's, that keeps more than that by now is lost", raise))
	case bytes < smallKeep:
		i.add(finding.Warn(finding.WALRetention, name+" is "+shown+": after a short time away the slot would be lost", raise))
	default:
		i.add(finding.Passed(finding.WALRetention,
			"the server keeps "+shown+" of log for a bluetap that is away, then drops it"))
	}
	return nil
}

// slotTimeout looks at a setting that came with version 18.
func (i *inspector) slotTimeout(context.Context) error {
	const name = "idle_replication_slot_timeout"
	if shown := i.settings[name]; shown != "" && shown != "0" {
		i.add(finding.Warn(finding.SlotTimeout, name+" is "+shown+": a bluetap that is away for longer loses its slot",
			"ALTER SYSTEM SET "+name+" = 0; SELECT pg_reload_conf();"))
		return nil
	}
	i.add(finding.Passed(finding.SlotTimeout, "the server does not drop a slot for being idle"))
	return nil
}

func (i *inspector) senderTimeout(context.Context) error {
	const name = "wal_sender_timeout"
	shown := i.settings[name]
	if shown == "0" {
		i.add(finding.Warn(finding.SenderTimeout, name+" is 0: the server never gives up a dead connection, and while it "+
			"does not, bluetap cannot have its slot back", "ALTER SYSTEM SET "+name+" = '60s'; SELECT pg_reload_conf();"))
		return nil
	}
	i.add(finding.Passed(finding.SenderTimeout, "the server gives up a dead connection after "+shown))
	return nil
}

// defaultOld is Inspection.Old's default, and maxTold how many transactions are told of.
const (
	defaultOld = 5 * time.Minute
	maxTold    = 5
)

// longTransactions looks for those that have written: only they are waited for, and keep the log.
func (i *inspector) longTransactions(ctx context.Context) error {
	const sql = `SELECT pid, usename, EXTRACT(EPOCH FROM now() - xact_start)::int8, application_name, datname
		FROM pg_catalog.pg_stat_activity
		WHERE backend_xid IS NOT NULL AND pid <> pg_catalog.pg_backend_pid()
		AND EXTRACT(EPOCH FROM now() - xact_start) >= %f ORDER BY xact_start LIMIT %d`
	rows, err := query(ctx, i.conn, fmt.Sprintf(sql, i.Old.Seconds(), maxTold))
	if err != nil {
		return err
	}
	for _, r := range rows {
		text := fmt.Sprintf("a transaction of role %s in database %s (%q) has been open for %s: a first start waits for its "+
			"end, and the log is kept from its beginning; what it has written would be rolled back", r.text(1), r.text(4),
			r.text(3), seconds(r.int(2)))
		i.add(finding.Warn(finding.LongTransact, text, fmt.Sprintf("SELECT pg_terminate_backend(%d)", r.int(0))).
			About(fmt.Sprintf("process %d", r.int(0))))
	}
	if len(rows) > 0 {
		return nil
	}
	sees, err := i.count(ctx, "SELECT pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')::int")
	if err != nil {
		return err
	}
	if sees == 0 {
		f := finding.Passed(finding.LongTransact, "the role sees its own transactions only, none of which is old")
		f.Next = "to see those of others: GRANT pg_read_all_stats TO " + i.role
		i.add(f)
		return nil
	}
	i.add(finding.Passed(finding.LongTransact, "no transaction that has written is older than "+i.Old.String()))
	return nil
}

func (i *inspector) prepared(ctx context.Context) error {
	const sql = `SELECT gid, database, EXTRACT(EPOCH FROM now() - prepared)::int8 FROM pg_catalog.pg_prepared_xacts
		WHERE EXTRACT(EPOCH FROM now() - prepared) >= %f ORDER BY prepared LIMIT %d`
	rows, err := query(ctx, i.conn, fmt.Sprintf(sql, i.Old.Seconds(), maxTold))
	if err != nil {
		return err
	}
	for _, r := range rows {
		text := fmt.Sprintf("it has been prepared for %s: a first start waits for its end, and the log is kept from its "+
			"beginning", seconds(r.int(2)))
		i.add(finding.Warn(finding.PreparedXact, text, "in database "+r.text(1)+": ROLLBACK PREPARED "+
			quoteLiteral(r.text(0))+", or COMMIT PREPARED").About(r.text(0)))
	}
	if len(rows) == 0 {
		i.add(finding.Passed(finding.PreparedXact, "no prepared transaction is older than "+i.Old.String()))
	}
	return nil
}

func seconds(n int64) string { return (time.Duration(n) * time.Second).String() }
