package capture

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"bluetap/internal/hint"
)

// connectTimeout bounds one attempt to connect unless the URL says otherwise.
const connectTimeout = 10 * time.Second

// cancelPatience is how long the server has to answer when a query is cancelled.
const cancelPatience = time.Second

// applicationName is how bluetap's sessions show in pg_stat_activity unless the URL says otherwise.
const applicationName = "bluetap"

// sessionSettings makes values look the same whatever the role, the database or the server have set: a snapshot and
// the stream must write one value with the same bytes.
var sessionSettings = map[string]string{
	"TimeZone":                            "UTC",
	"DateStyle":                           "ISO",
	"IntervalStyle":                       "iso_8601",
	"extra_float_digits":                  "3",
	"bytea_output":                        "hex",
	"lc_monetary":                         "C",
	"client_encoding":                     "UTF8",
	"standard_conforming_strings":         "on",
	"search_path":                         "pg_catalog",
	"row_security":                        "off",
	"statement_timeout":                   "0",
	"lock_timeout":                        "0",
	"idle_in_transaction_session_timeout": "0",
}

// connect opens an ordinary connection.
func connect(ctx context.Context, cfg Config) (*pgconn.PgConn, error) { return dial(ctx, cfg, nil) }

// connectReplication opens a connection that takes replication commands, and plain SQL by the simple protocol.
func connectReplication(ctx context.Context, cfg Config) (*pgconn.PgConn, error) {
	conn, err := dial(ctx, cfg, map[string]string{"replication": "database"})
	if sqlState(err) != stateInsufficientRights {
		return conn, err
	}
	// The right to connect to the database is missed with the same SQLSTATE.
	plain, plainErr := connect(ctx, cfg)
	if plainErr != nil {
		return nil, plainErr
	}
	defer closeConn(plain)
	return nil, hint.New(err, "ALTER ROLE "+currentRole(ctx, plain)+" REPLICATION")
}

func dial(ctx context.Context, cfg Config, extra map[string]string) (*pgconn.PgConn, error) {
	pc, err := pgconn.ParseConfig(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("read database url: %w", err)
	}
	if pc.ConnectTimeout == 0 || pc.ConnectTimeout > connectTimeout {
		pc.ConnectTimeout = connectTimeout
	}
	if pc.RuntimeParams["application_name"] == "" {
		pc.RuntimeParams["application_name"] = applicationName
	}
	pc.BuildContextWatcherHandler = cancelQuery
	maps.Copy(pc.RuntimeParams, sessionSettings)
	if cfg.Brief {
		maps.Copy(pc.RuntimeParams, map[string]string{"lock_timeout": "500ms", "statement_timeout": "10s"})
	}
	maps.Copy(pc.RuntimeParams, extra)
	conn, err := pgconn.ConnectConfig(ctx, pc)
	if err != nil {
		err = fmt.Errorf("connect: %w", ended(ctx, flatError{err}))
		if sqlState(err) == stateInsufficientRights && extra == nil {
			err = hint.New(err, "GRANT CONNECT ON DATABASE "+quoteIdent(pc.Database)+" TO "+quoteIdent(pc.User))
		}
		return nil, err
	}
	if err = checkVersion(conn); err == nil {
		err = lateSettings(ctx, conn)
	}
	if err != nil {
		closeConn(conn)
		return nil, err
	}
	return conn, nil
}

// oldest is the oldest major version that is read.
const oldest = 14

// checkVersion refuses servers that are too old to say so themselves.
func checkVersion(conn *pgconn.PgConn) error {
	version, err := strconv.Atoi(major(conn))
	if err != nil || version >= oldest { // somebody between us and the server may call it anything
		return nil //nolint:nilerr // as said
	}
	return hint.New(fmt.Errorf("%w: it is PostgreSQL %d, and bluetap needs %d or later", errServerVersion, version,
		oldest), fmt.Sprintf("upgrade the server to PostgreSQL %d or later", oldest))
}

// flatError is an error whose text is one line: one that tells of several addresses has a line for each.
type flatError struct{ error }

// Error joins the lines, each of them once.
func (e flatError) Error() string {
	var lines []string
	for line := range strings.Lines(e.error.Error()) {
		if line = strings.Join(strings.Fields(line), " "); line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.ReplaceAll(strings.Join(lines, "; "), ":; ", ": ")
}

// Unwrap returns the error as it was.
func (e flatError) Unwrap() error { return e.error }

// cancelQuery makes the end of a context end the query on the server too: a slot creation that waits for a transaction
// would otherwise go on without us and leave a slot behind.
func cancelQuery(conn *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cancelPatience}
}

// lateSettings sets what older servers would refuse in the startup packet, and what depends on the database. One in
// SQL_ASCII holds bytes of no known encoding: asked for UTF8 it would refuse, for ever, to send what is not.
func lateSettings(ctx context.Context, conn *pgconn.PgConn) error {
	const sql = `SELECT pg_catalog.set_config(name, value, false)
		FROM (VALUES ('idle_session_timeout', '0'), ('transaction_timeout', '0'), ('client_encoding', 'SQL_ASCII'))
			s (name, value)
		JOIN pg_catalog.pg_settings USING (name)
		WHERE setting <> value AND (name <> 'client_encoding' OR
			pg_catalog.current_setting('server_encoding') = 'SQL_ASCII')`
	if _, err := query(ctx, conn, sql); err != nil {
		return fmt.Errorf("set up session: %w", err)
	}
	return nil
}

// closeConn says goodbye and closes, within a second.
func closeConn(conn *pgconn.PgConn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	// An error tells only that the server went first.
	_ = conn.Close(ctx)
}

// row is one row of a query's result in text; a NULL is nil.
type row [][]byte

func (r row) text(i int) string { return string(r[i]) }
func (r row) bool(i int) bool   { return string(r[i]) == "t" }

// query runs one statement by the simple protocol, which ordinary and replication connections both speak.
func query(ctx context.Context, conn *pgconn.PgConn, sql string) ([]row, error) {
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, ended(ctx, err)
	}
	var rows []row
	for _, result := range results {
		for _, r := range result.Rows {
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// queryOne is query for a statement that returns one row.
func queryOne(ctx context.Context, conn *pgconn.PgConn, sql string) (row, error) {
	rows, err := query(ctx, conn, sql)
	if err == nil && len(rows) != 1 {
		err = fmt.Errorf("%d rows instead of one", len(rows))
	}
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// ended returns why ctx ended, if it has: what a query says that was cut short for it is of no interest.
func ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
