//go:build unix

package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgserver"

	"github.com/jackc/pgx/v5"
)

const database = "blue"

// demo is one run, and all that it has started.
type demo struct {
	Options
	screen *screen
	tally  *tally

	dir      string           // the daemon's config, state and log
	pg       *pgserver.Server // nil until it runs, as the others
	app      *pgx.Conn        // what the team works with
	receiver *receiver
	daemon   *daemon
}

// start starts the parts, in the order in which each needs the one before, and says what is there.
func (d *demo) start(ctx context.Context) error {
	parts := []struct {
		name  string
		start func(ctx context.Context) (what string, err error)
	}{
		{"PostgreSQL", d.startServer}, {"database", d.createSchema}, {"receiver", d.startReceiver},
		{"bluetap setup", d.grant}, {"bluetap run", d.startDaemon},
	}
	for _, p := range parts {
		if err := d.screen.part(p.name, func() (string, error) { return p.start(ctx) }); err != nil {
			return err
		}
	}
	d.screen.line("")
	return d.screen.err
}

func (d *demo) startServer(ctx context.Context) (string, error) {
	var err error
	if d.dir, err = os.MkdirTemp("", "bluetap-demo-"); err != nil {
		return "", fmt.Errorf("make directory: %w", err)
	}
	if d.pg, err = pgserver.New(ctx, pgserver.Options{}); err != nil {
		return "", err
	}
	version, err := d.pg.Psql(ctx, "postgres", "SHOW server_version; CREATE DATABASE "+database+";")
	version, _, _ = strings.Cut(version, " ") // of the packager
	return fmt.Sprintf("%s on %s, wal_level = logical", version, d.pg.Addr()), err
}

func (d *demo) createSchema(ctx context.Context) (string, error) {
	if _, err := d.pg.Psql(ctx, database, "BEGIN;"+blueschema.SQL()+team+"COMMIT;"); err != nil {
		return "", fmt.Errorf("create schema: %w", err)
	}
	var err error
	if d.app, err = pgx.Connect(ctx, d.pg.URL(database)); err != nil {
		return "", fmt.Errorf("connect: %w", err)
	}
	var tables int
	const count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
	if err := d.app.QueryRow(ctx, count).Scan(&tables); err != nil {
		return "", fmt.Errorf("count tables: %w", err)
	}
	return fmt.Sprintf("Blue's %d tables, a team of three and their project", tables), nil
}

func (d *demo) startReceiver(context.Context) (string, error) {
	secret := rand.Text()
	if err := d.writeConfig(secretFile, secret); err != nil {
		return "", err
	}
	var err error
	if d.receiver, err = newReceiver(secret); err != nil {
		return "", err
	}
	return d.receiver.url + ", verifies both signatures", nil
}

// close ends and removes everything. The receiver answers until the daemon has ended, which waits for answers.
func (d *demo) close() error {
	var errs []error
	if d.receiver != nil {
		d.receiver.ignore()
	}
	if d.daemon != nil {
		errs = append(errs, d.daemon.stop())
	}
	if d.receiver != nil {
		errs = append(errs, d.receiver.close())
	}
	if d.app != nil {
		_ = d.app.Close(context.Background()) // the server is stopped next
	}
	if d.pg != nil {
		errs = append(errs, d.pg.Close())
	}
	if d.dir != "" {
		errs = append(errs, os.RemoveAll(d.dir))
	}
	return errors.Join(errs...)
}

func (d *demo) path(name string) string { return filepath.Join(d.dir, name) }
