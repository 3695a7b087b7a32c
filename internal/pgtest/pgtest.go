//go:build unix

// Package pgtest gives tests a real PostgreSQL server of their own, and a TCP proxy to break the line to it.
package pgtest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bluetap/internal/pgserver"

	"github.com/jackc/pgx/v5"
)

// patience bounds everything that a helper waits for. It is generous, as CI machines are slow and shared; a test
// that expects a shorter time measures it.
const patience = 5 * time.Minute

// Server is a PostgreSQL server that belongs to one test, with logical replication on and the superuser postgres.
type Server struct{ pg *pgserver.Server }

// Option changes how a Server is made.
type Option func(*pgserver.Options)

// WithFsync makes the server flush to disk, as in production: for measurements only, since a test that kills
// processes loses nothing without it.
func WithFsync() Option { return func(o *pgserver.Options) { o.Fsync = true } }

// WithParam sets one setting of postgresql.conf, for example "wal_level" to "replica".
func WithParam(name, value string) Option {
	return func(o *pgserver.Options) { o.Params[name] = value }
}

// WithLocale sets the locale of the cluster; the default is C.
func WithLocale(locale string) Option { return func(o *pgserver.Options) { o.Locale = locale } }

// WithEncoding sets the encoding of the cluster, by PostgreSQL's names; the default is UTF8.
func WithEncoding(encoding string) Option { return func(o *pgserver.Options) { o.Encoding = encoding } }

// WithOwnIdentifier gives the server a system identifier that no other server has. Without it servers are copies of
// one cluster and share theirs. It costs a second.
func WithOwnIdentifier() Option { return func(o *pgserver.Options) { o.CacheDir = "" } }

// Start starts a server and stops it when the test ends. If the test failed, the end of the server's log is printed.
// When no server is installed the test fails, and says what to install.
func Start(t testing.TB, opts ...Option) *Server {
	t.Helper()
	options := pgserver.Options{CacheDir: cacheDir(), Params: map[string]string{}}
	for _, opt := range opts {
		opt(&options)
	}
	pg, err := pgserver.New(t.Context(), options)
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the PostgreSQL log:\n%s", pg.LogTail(8192))
		}
		if err := pg.Close(); err != nil {
			t.Errorf("close PostgreSQL: %v", err)
		}
	})
	return &Server{pg: pg}
}

// cacheDir is "", which switches the cache off, where there is no home directory.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "bluetap-pgtest")
}

// Addr returns the server's host:port.
func (s *Server) Addr() string { return s.pg.Addr() }

// URL returns the superuser's connection URL for a database; "postgres" always exists.
func (s *Server) URL(db string) string { return s.pg.URL(db) }

// URLFor returns the connection URL of a role with a password. Only the superuser gets in without one.
func (s *Server) URLFor(user, password, db string) string { return s.pg.URLFor(user, password, db) }

// URLAt is URL with another host:port, such as a Proxy's.
func (s *Server) URLAt(addr, db string) string { return s.pg.URLAt(addr, db) }

// CreateDB creates a database and returns its URL.
func (s *Server) CreateDB(t testing.TB, name string) string {
	t.Helper()
	s.Exec(t, "postgres", "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	return s.URL(name)
}

// Exec runs one or more statements through psql and returns the rows that they printed, columns separated by |.
// Statements commit one by one unless sql says BEGIN. The first that fails fails the test.
func (s *Server) Exec(t testing.TB, db, sql string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	out, err := s.pg.Psql(ctx, db, sql)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return out
}

// Conn opens a connection as superuser and closes it when the test ends.
func (s *Server) Conn(t testing.TB, db string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL(db))
	if err != nil {
		t.Fatalf("connect to PostgreSQL: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = conn.Close(ctx) // the test may have stopped the server
	})
	return conn
}

// Stop stops the server and returns how long that took. A stop that takes longer than a minute fails the test, and
// is followed by an immediate one.
func (s *Server) Stop(t testing.TB, mode pgserver.Mode) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	began := time.Now()
	if err := s.pg.Stop(ctx, mode); err != nil {
		t.Fatalf("%v", err)
	}
	return time.Since(began)
}

// Start starts the stopped server again, on the same port with the same data.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.pg.Start(t.Context()); err != nil {
		t.Fatalf("%v", err)
	}
}

// TerminateWalsenders ends all replication connections from the server's side and returns how many there were.
func (s *Server) TerminateWalsenders(t testing.TB) int {
	t.Helper()
	out := s.Exec(t, "postgres",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'walsender'")
	return strings.Count(out, "t")
}

// Log returns the end of the server's log, at most n bytes.
func (s *Server) Log(n int64) string { return s.pg.LogTail(n) }
