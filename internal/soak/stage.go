//go:build unix

package soak

import (
	"context"
	_ "embed" // seed.sql
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgserver"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

//go:embed seed.sql
var seedSQL string

const database = "postgres"

// stage is all that plays: the server, the line to it, the daemon and the receivers.
type stage struct {
	dir      string
	pg       *pgserver.Server
	line     *proxy
	receiver *receiver
	hooks    []*hook
	install  *installation
	daemon   *process
	small    string // the small file system that holds the state; "" where none can be had
	bulk     int    // users that are only there so that the first snapshot lasts

	longestStop time.Duration // that the server took; read it between two rounds
}

func newInstallation(program, dir string) *installation {
	return &installation{program: program, config: filepath.Join(dir, "bluetap.yaml"), state: filepath.Join(dir, "state"),
		log: filepath.Join(dir, "bluetap.log"), lives: &lives{}}
}

// newStage starts the server with Blue's tables, the receivers and the line, and writes the configuration. The daemon
// is not started.
func newStage(ctx context.Context, o Options) (*stage, error) {
	s := &stage{dir: o.Dir, bulk: o.SnapshotRows, hooks: newHooks(),
		install: newInstallation(o.Program, o.Dir)}
	if err := s.set(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stage) set(ctx context.Context) (err error) {
	s.pg, err = pgserver.New(ctx, pgserver.Options{Params: map[string]string{
		"max_prepared_transactions": "50", "wal_sender_timeout": "4s", "timezone": "UTC", "checkpoint_timeout": "30s",
		"deadlock_timeout": "100ms"}})
	if err != nil {
		return err
	}
	if _, err := s.pg.Psql(ctx, database, blueschema.SQL()+auditSQL+seedSQL+`
		CREATE ROLE tap LOGIN PASSWORD 'right'`); err != nil {
		return fmt.Errorf("create schema: %w", err)
	}
	if err := s.addBulk(ctx); err != nil {
		return err
	}
	if s.line, err = newProxy(s.pg.Addr()); err != nil {
		return err
	}
	if s.receiver, err = newReceiver(s.hooks); err != nil {
		return err
	}
	s.mount(ctx)
	url := strings.Replace(s.pg.URLFor("tap", "right", database), s.pg.Addr(), s.line.addr(), 1)
	if err := s.install.configure(url, s.receiver.url, s.hooks); err != nil {
		return err
	}
	sql, err := s.install.output(ctx, "setup", "--print")
	if err != nil {
		return err
	}
	if _, err := s.pg.Psql(ctx, database, string(sql)); err != nil {
		return fmt.Errorf("grant rights: %w", err)
	}
	return nil
}

// smallSize is how much the small file system holds: three times what a minute of events takes, and soon full.
const smallSize = "1g"

// mount puts the state on a file system of its own, which can be filled. That takes root and Linux; without them the
// state lies beside the rest, and its disk is never full.
func (s *stage) mount(ctx context.Context) {
	dir := filepath.Join(s.dir, "small")
	if os.Getuid() != 0 || os.Mkdir(dir, 0o700) != nil {
		return
	}
	if exec.CommandContext(ctx, "mount", "-t", "tmpfs", "-o", "size="+smallSize, "bluetap-soak", dir).Run() != nil {
		return
	}
	s.small, s.install.state = dir, filepath.Join(dir, "state")
}

// connect returns a connection to the server that does not go through the line.
func (s *stage) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, s.pg.URL(database))
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return conn, nil
}

// lostAgainst are what a statement ends with that lost against another client: deadlock_detected, lock_not_available.
var lostAgainst = []string{"40P01", "55P03"}

// tooSlow is what a statement ends with that came to statement_timeout: query_canceled.
const tooSlow = "57014"

// execute runs SQL and returns how many rows its last statement touched. It waits for no client for long: one that is
// prepared may hold its locks until all is at rest.
func (s *stage) execute(ctx context.Context, sql string) (int64, error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, session); err != nil {
		return 0, err
	}
	for range 5 {
		tag, err := conn.Exec(ctx, sql)
		var pgErr *pgconn.PgError
		switch {
		case !errors.As(err, &pgErr):
			return tag.RowsAffected(), err
		case pgErr.Code == tooSlow:
			return 0, errMissed
		case !slices.Contains(lostAgainst, pgErr.Code):
			return 0, err
		}
	}
	return 0, errMissed
}

// revive starts a daemon again that has ended by itself, if it had a reason to.
func (s *stage) revive() (err error) {
	s.daemon.wait()
	if !s.daemon.gaveUp() {
		return fmt.Errorf("%w: bluetap ended although nobody asked it to, with %s:\n%s", errBroken,
			s.daemon.cmd.ProcessState, s.daemon.log.end())
	}
	s.daemon, err = s.install.start()
	return err
}

// keepState copies the state from the small file system, which goes with the stage, to where the other evidence is.
func (s *stage) keepState() error {
	s.daemon.kill()
	if s.small == "" {
		return nil
	}
	// os.CopyFS takes no sockets; a daemon that was killed has left one.
	err := os.Remove(filepath.Join(s.install.state, "control.sock"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, os.CopyFS(filepath.Join(s.dir, "state"), os.DirFS(s.install.state)))
}

// close ends everything. What is in the directory stays.
func (s *stage) close() error {
	var errs []error
	if s.daemon != nil {
		s.daemon.kill()
	}
	if s.line != nil {
		s.line.close()
	}
	if s.receiver != nil {
		errs = append(errs, s.receiver.close())
	}
	if s.small != "" {
		errs = append(errs, exec.Command("umount", s.small).Run())
	}
	if s.pg != nil {
		errs = append(errs, s.pg.Close())
	}
	return errors.Join(errs...)
}
