//go:build unix

// Package pgserver runs a throw-away PostgreSQL server as a child process, for tests, the benchmark and the demo.
//
// The server is the installed one (14 or later), with logical replication switched on, in a directory of its own,
// on 127.0.0.1 only and without a Unix socket, so it never meets a server that already runs on the machine. It dies
// with the process that started it.
package pgserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"bluetap/internal/child"

	"github.com/jackc/pgx/v5"
)

// Options say how a server is made. The zero value is a server that is quick and not safe against a power cut.
type Options struct {
	// CacheDir keeps fresh data directories for reuse, which saves a second a server. Servers made from the same
	// cached directory share one system identifier. "" = run initdb every time.
	CacheDir string
	// Params are settings of postgresql.conf, over the defaults of this package.
	Params map[string]string
	// Locale and Encoding of the cluster. "" = C and UTF8.
	Locale, Encoding string
	// Fsync makes the server as durable, and as slow, as in production. Default off.
	Fsync bool
}

// Mode is a way to stop a server, by the names of pg_ctl's manual page.
type Mode string

// The shutdown modes.
const (
	Smart     Mode = "smart"     // waits until all clients have gone
	Fast      Mode = "fast"      // ends sessions, waits until walsenders have sent everything
	Immediate Mode = "immediate" // a crash: recovery on the next start
)

var signals = map[Mode]syscall.Signal{
	Smart: syscall.SIGTERM, Fast: syscall.SIGINT, Immediate: syscall.SIGQUIT,
}

// startTimeout bounds a start, crash recovery included.
const startTimeout = 3 * time.Minute

// Server is a running or stopped PostgreSQL server. Its methods must not be called at the same time, but for those
// that only talk to it (URL, URLFor, URLAt, Addr, Psql, LogTail).
type Server struct {
	opts    Options
	bin     string
	account account
	dir     string // holds data/ and server.log
	port    int
	cmd     *exec.Cmd
	exited  <-chan struct{} // closed when the process is gone; nil before the first start
}

// New makes a server and starts it. It returns once the server takes connections. The caller must Close it.
func New(ctx context.Context, opts Options) (*Server, error) {
	bin, err := FindBinaries()
	if err != nil {
		return nil, err
	}
	acc, err := serverAccount()
	if err != nil {
		return nil, err
	}
	opts.Locale, opts.Encoding = cmp.Or(opts.Locale, "C"), cmp.Or(opts.Encoding, "UTF8")
	dir, err := os.MkdirTemp("", "bluetap-pg-")
	if err != nil {
		return nil, fmt.Errorf("make server directory: %w", err)
	}
	s := &Server{opts: opts, bin: bin, account: acc, dir: dir}
	if err := s.create(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// create tries several ports: between the choice of one and its use by the server another process may take it.
func (s *Server) create(ctx context.Context) error {
	if err := s.account.own(s.dir); err != nil {
		return err
	}
	if err := s.createCluster(ctx); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		port, err := freePort()
		if err != nil {
			return err
		}
		s.port = port
		if err := s.configure(); err != nil {
			return err
		}
		err = s.Start(ctx)
		if err == nil || attempt == 3 || !errors.Is(err, errExited) {
			return err
		}
	}
}

// freePort picks below the range that Linux takes ports for outgoing connections from, where a port that was free a
// moment ago may be somebody's source port now.
func freePort() (int, error) {
	for range 100 {
		port := 15000 + rand.IntN(17000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("find a free port: none in 100 tries")
}

// errExited says that the server process ended before it was ready.
var errExited = errors.New("server process ended")

// Start starts a stopped server again, on the same port and data, and returns once it takes connections.
func (s *Server) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := s.spawn(); err != nil {
		return err
	}
	if err := s.waitReady(ctx); err != nil {
		return fmt.Errorf("start postgres: %w; its log ends:\n%s", err, s.LogTail(4096))
	}
	return nil
}

func (s *Server) spawn() error {
	logFile, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open server log: %w", err)
	}
	defer logFile.Close()
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), "-D", s.dataDir())
	cmd.Dir, cmd.Env = s.dir, cleanEnv()
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.SysProcAttr = s.account.attr()
	exited, err := child.Start(cmd, signals[Immediate]) // how it ended is in its log
	if err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	s.cmd, s.exited = cmd, exited
	return nil
}

func (s *Server) waitReady(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-s.exited:
			return errExited
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), last)
		case <-tick.C:
		}
	}
}

// Stop stops the server and returns when its process has ended. When ctx ends first, the server is stopped
// immediately and the cause is returned. To stop a stopped server is no error.
func (s *Server) Stop(ctx context.Context, mode Mode) error {
	if s.exited == nil {
		return nil
	}
	if err := s.signal(signals[mode]); err != nil {
		return err
	}
	select {
	case <-s.exited:
		return nil
	case <-ctx.Done():
	}
	err := s.signal(signals[Immediate])
	<-s.exited
	return errors.Join(fmt.Errorf("stop postgres, %s: %w", mode, context.Cause(ctx)), err)
}

func (s *Server) signal(sig syscall.Signal) error {
	err := s.cmd.Process.Signal(sig)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal postgres: %w", err)
	}
	return nil
}

// Close stops the server immediately and deletes its directory.
func (s *Server) Close() error {
	err := s.Stop(context.Background(), Immediate)
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Exited returns a channel that is closed when the server's present process has ended, for whatever reason.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// Addr returns host:port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL returns the connection URL of the superuser postgres, who needs no password, for a database.
func (s *Server) URL(db string) string { return s.urlAt(s.Addr(), url.User("postgres"), db) }

// URLFor returns the connection URL of a role that logs in with a password (SCRAM).
func (s *Server) URLFor(user, password, db string) string {
	return s.urlAt(s.Addr(), url.UserPassword(user, password), db)
}

// URLAt is URL through another address, such as a proxy's.
func (s *Server) URLAt(addr, db string) string { return s.urlAt(addr, url.User("postgres"), db) }

func (s *Server) urlAt(addr string, user *url.Userinfo, db string) string {
	u := url.URL{Scheme: "postgres", Host: addr, User: user, Path: "/" + db, RawQuery: "sslmode=disable"}
	return u.String()
}

// LogTail returns the last n bytes of the server's log, or why it cannot be read.
func (s *Server) LogTail(n int64) string {
	f, err := os.Open(s.logPath())
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > n {
		_, _ = f.Seek(-n, io.SeekEnd)
	}
	tail, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	return string(tail)
}

func (s *Server) dataDir() string { return filepath.Join(s.dir, "data") }
func (s *Server) logPath() string { return filepath.Join(s.dir, "server.log") }
