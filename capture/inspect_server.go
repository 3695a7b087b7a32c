package capture

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/finding"
	"bluetap/internal/hint"
)

// goodMinor is, by major version, the first minor without two faults of logical decoding: rows that are lost when a
// table or publication is altered while transactions run (mended in 14.18, 15.13, 16.9, 17.5), and decoding that
// fails after many such changes, which that mend brought.
var goodMinor = map[int]int{14: 19, 15: 14, 16: 10, 17: 6}

func (i *inspector) version(ctx context.Context) error {
	r, err := queryOne(ctx, i.conn, "SELECT pg_catalog.current_database(), current_user")
	if err != nil {
		return err
	}
	i.database = r.text(0)
	number := i.number("server_version_num")
	i.add(finding.Passed(finding.ServerVersion, fmt.Sprintf("PostgreSQL %d.%d, database %s, role %s", number/10000,
		number%10000, r.text(0), r.text(1))))
	i.add(judgeMinor(number))
	return nil
}

// judgeMinor takes the server's number, e.g. 150018 for 15.18.
func judgeMinor(number int) finding.Finding {
	version, minor := number/10000, number%10000
	if good := goodMinor[version]; minor < good {
		return finding.Warn(finding.ServerMinor, fmt.Sprintf("PostgreSQL %d.%d may lose changes, or stop decoding, when a "+
			"table or a publication is altered while transactions run", version, minor),
			fmt.Sprintf("update the server to %d.%d or later, within the major version", version, good))
	}
	return finding.Passed(finding.ServerMinor, "no fault of this minor version is known to lose changes")
}

func (i *inspector) encryption(context.Context) error {
	i.add(judgeConn(i.conn.Conn()))
	return nil
}

func judgeConn(conn net.Conn) finding.Finding {
	if _, encrypted := conn.(*tls.Conn); encrypted {
		return finding.Passed(finding.Encryption, "the connection is encrypted")
	}
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		return finding.Warn(finding.Encryption, "the connection is not encrypted: rows cross the network for all to read",
			"add sslmode=verify-full to database.url")
	}
	return finding.Passed(finding.Encryption, "the connection does not leave this machine")
}

func (i *inspector) primary(ctx context.Context) error {
	err := checkPrimary(ctx, i.conn)
	if i.standby = err == errStandby; i.standby { //nolint:errorlint // it is returned as it is
		i.add(finding.Fail(finding.Standby, "the server is a standby, where neither publication nor slot can be made",
			"point database.url at the primary"))
		return nil
	}
	if err == nil {
		i.add(finding.Passed(finding.Standby, "the server is no standby"))
	}
	return err
}

func (i *inspector) encoding(context.Context) error {
	name := i.settings["server_encoding"]
	if name == "SQL_ASCII" {
		i.add(finding.Warn(finding.Encoding,
			"the database's encoding is SQL_ASCII: bytes that are no UTF-8 are sent as U+FFFD", ""))
		return nil
	}
	i.add(finding.Passed(finding.Encoding, "the database's encoding is "+name))
	return nil
}

func (i *inspector) walLevel(context.Context) error {
	level := i.settings["wal_level"]
	if level != "logical" {
		i.add(finding.Fail(finding.WALLevel, "wal_level is "+level+" and must be logical",
			"ALTER SYSTEM SET wal_level = logical; then restart PostgreSQL"))
		return nil
	}
	i.add(finding.Passed(finding.WALLevel, "wal_level is logical"))
	return nil
}

// replication tries what no catalogue tells for sure: whether pg_hba.conf and the role's attributes, or a provider's
// stand-ins for them, let it open a replication connection.
func (i *inspector) replication(ctx context.Context) error {
	_, err := Identify(ctx, i.cfg)
	switch state := sqlState(err); {
	case err == nil:
		i.add(finding.Passed(finding.Replication, "the role may open a replication connection"))
	case state == stateTooManyConnections && i.noSender: // which senders has found
	case state == stateTooManyConnections:
		i.add(finding.Fail(finding.Connections, "no more connection can be opened: "+serverMessage(err),
			"raise the limit that it names, or close connections that nobody uses"))
	case state == stateInsufficientRights:
		i.add(finding.Fail(finding.Replication, "the role may not open a replication connection: "+serverMessage(err),
			"ALTER ROLE "+i.role+" REPLICATION"))
	default:
		i.add(finding.Fail(finding.Replication, "a replication connection cannot be opened: "+serverMessage(err),
			hint.Of(err)))
	}
	return nil
}

// serverMessage returns what the server said, or what else went wrong.
func serverMessage(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Message
	}
	return err.Error()
}

func (i *inspector) superuser(ctx context.Context) error {
	n, err := i.count(ctx, "SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname = current_user AND rolsuper")
	switch {
	case err != nil:
		return err
	case n > 0:
		i.add(finding.Warn(finding.Role, "the role is a superuser, and bluetap needs to read a few tables only",
			"CREATE ROLE bluetap LOGIN PASSWORD '…'; put it into database.url, then: bluetap setup --config FILE --print"))
	default:
		i.add(finding.Passed(finding.Role, "the role is no superuser"))
	}
	return nil
}

const moreSenders = "ALTER SYSTEM SET max_wal_senders = 20; then restart PostgreSQL"

func (i *inspector) senders(ctx context.Context) error {
	used, err := i.count(ctx, "SELECT count(*) FROM pg_catalog.pg_stat_get_wal_senders()")
	if err != nil {
		return err
	}
	i.noSender = used >= i.number("max_wal_senders")
	i.room(finding.Senders, "WAL senders", i.number("max_wal_senders")-used, i.State == StateRunning, moreSenders)
	return nil
}

func (i *inspector) slots(ctx context.Context) error {
	used, err := i.count(ctx, "SELECT count(*) FROM pg_catalog.pg_replication_slots")
	if err != nil {
		return err
	}
	own, err := readSlot(ctx, i.conn, i.cfg.Slot)
	if err != nil {
		return err
	}
	i.room(finding.Slots, "replication slots", i.number("max_replication_slots")-used, own != nil,
		"ALTER SYSTEM SET max_replication_slots = 20; then restart PostgreSQL. Or drop one that nobody uses: "+
			"SELECT slot_name, active FROM pg_replication_slots")
	return nil
}

// room judges what is free of something of which bluetap needs one, which it may have already, and had better find
// another one.
func (i *inspector) room(code finding.Code, what string, free int, have bool, more string) {
	if free < 0 {
		free = 0
	}
	if have {
		free++
	}
	switch free {
	case 0:
		i.add(finding.Fail(code, "none of the server's "+what+" is free, and bluetap needs one", more))
	case 1:
		i.add(finding.Warn(code, "bluetap has the last one of the server's "+what+": none is left for anybody else", more))
	default:
		i.add(finding.Passed(code, fmt.Sprintf("%d of the server's %s are there for bluetap, which needs one", free, what)))
	}
}

// streamConnections is how many connections are open at most while the stream stands, snapshotConnections during a
// first start.
const (
	streamConnections   = 3
	snapshotConnections = 5
)

func (i *inspector) connections(ctx context.Context) error {
	used, err := i.count(ctx, "SELECT sum(numbackends) FROM pg_catalog.pg_stat_database")
	if err != nil {
		return err
	}
	before := len(i.found)
	for _, of := range []struct{ what, limit, alter string }{
		{"role", "SELECT rolconnlimit FROM pg_catalog.pg_roles WHERE rolname = current_user", "ALTER ROLE " + i.role},
		{"database", "SELECT datconnlimit FROM pg_catalog.pg_database WHERE datname = current_database()",
			"ALTER DATABASE " + quoteIdent(i.database)},
	} {
		limit, err := i.count(ctx, of.limit)
		if err != nil {
			return err
		}
		i.connectionLimit(of.what, limit, of.alter)
	}
	if len(i.found) > before {
		return nil
	}
	free := i.number("max_connections") - i.number("superuser_reserved_connections") -
		i.number("reserved_connections") - used
	if free < snapshotConnections {
		text := fmt.Sprintf("%d of the server's connections are free, and the first start opens up to %d", max(free, 0),
			snapshotConnections)
		i.add(finding.Warn(finding.Connections, text, "raise max_connections, or close connections that nobody uses"))
		return nil
	}
	i.add(finding.Passed(finding.Connections, fmt.Sprintf("%d of the server's connections are free", free)))
	return nil
}

// connectionLimit judges the connection limit of a role or database; below 0 there is none.
func (i *inspector) connectionLimit(what string, limit int, alter string) {
	text := fmt.Sprintf("the %s may have %d connections, and bluetap opens up to %d, in the first start up to %d", what,
		limit, streamConnections, snapshotConnections)
	f := finding.Warn(finding.Connections, text, fmt.Sprintf("%s CONNECTION LIMIT %d", alter, 2*snapshotConnections))
	if limit < streamConnections {
		f.Severity = finding.Error
	}
	if limit >= 0 && limit < snapshotConnections {
		i.add(f)
	}
}

// standbyName matches what synchronous_standby_names is made of (Postgres manual, "synchronous_standby_names").
var standbyName = regexp.MustCompile(`"(?:[^"]|"")*"|[^\s,()]+`)

// countsFor tells whether a list of synchronous standbys counts a connection with the application name own. The words
// and numbers before its parentheses are no names, but a name that looks like them can only make it warn in vain.
func countsFor(list, own string) bool {
	return slices.ContainsFunc(standbyName.FindAllString(list, -1), func(name string) bool {
		if unquoted, err := strconv.Unquote(name); err == nil {
			name = unquoted
		}
		return name == "*" || strings.EqualFold(name, own)
	})
}

// syncStandby finds a list of synchronous standbys that bluetap's own connection would count for: the application's
// commits would wait until bluetap confirms, which it does once a second, and for ever while it is stopped.
func (i *inspector) syncStandby(context.Context) error {
	own := i.conn.ParameterStatus("application_name")
	if countsFor(i.settings["synchronous_standby_names"], own) {
		i.add(finding.Fail(finding.SyncStandby, "synchronous_standby_names counts bluetap's connection ("+own+
			"): the application's commits would wait for bluetap",
			"ALTER SYSTEM SET synchronous_standby_names = … with the names of the standbys only; SELECT pg_reload_conf()"))
		return nil
	}
	i.add(finding.Passed(finding.SyncStandby, "no commit of the application waits for bluetap"))
	return nil
}
