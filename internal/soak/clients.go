//go:build unix

package soak

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// clients are the application: several connections that run random transactions. What they try follows from the seed;
// how they meet does not.
type clients struct {
	url    string
	seed   uint64
	number int

	committed atomic.Int64 // as the clients were told; the truth is the audit
	failed    atomic.Int64 // statements that lost against another client or a fault
	tally     tally
}

// run makes all clients write until ctx ends or they have committed enough, and returns when they have stopped between
// two transactions. The round makes them go on elsewhere than in the round before.
func (c *clients) run(ctx context.Context, round, enough int) {
	var wg sync.WaitGroup
	until := c.committed.Load() + int64(enough)
	for n := range c.number {
		w := &client{clients: c}
		wg.Go(func() {
			defer w.close()
			for i := 0; ctx.Err() == nil && c.committed.Load() < until; i++ {
				w.author, w.done = newAuthor(c.seed, ofClients, round, n, i), doings{}
				// What a client has begun it ends: ctx ends it only between two transactions.
				if err := w.transaction(context.WithoutCancel(ctx)); err != nil {
					c.failed.Add(1)
					w.recover(ctx, err)
				}
			}
		})
	}
	wg.Wait()
}

// client is one connection.
type client struct {
	*clients
	conn   *pgx.Conn
	author author // of the transaction under way
	done   doings
}

// doings are what a transaction did, to be counted when it is committed.
type doings struct {
	statements, copies, copiedRows, savepoints int
}

// session bounds every wait for another client: a transaction that is prepared may hold its locks for long.
const session = "SET lock_timeout = '300ms'; SET statement_timeout = '20s'"

func (w *client) connect(ctx context.Context) error {
	if w.conn != nil && !w.conn.IsClosed() {
		return nil
	}
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	w.conn = conn
	_, err = conn.Exec(ctx, session)
	return err
}

func (w *client) close() {
	if w.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = w.conn.Close(ctx) // the server may be gone
	}
}

// recover brings the connection back to where a transaction can begin.
func (w *client) recover(ctx context.Context, err error) {
	var pgErr *pgconn.PgError
	if w.conn != nil && !w.conn.IsClosed() && errors.As(err, &pgErr) {
		if _, err := w.conn.Exec(context.WithoutCancel(ctx), "ROLLBACK"); err == nil {
			return
		}
	}
	select {
	case <-ctx.Done():
	case <-time.After(50 * time.Millisecond):
	}
}

// transaction runs one random transaction, or resolves one that was prepared.
func (w *client) transaction(ctx context.Context) error {
	if err := w.connect(ctx); err != nil {
		return err
	}
	a := w.author
	switch n := a.IntN(100); {
	case n < 4:
		return w.resolve(ctx)
	case n < 30: // several statements in one message are one transaction
		_, err := w.conn.Exec(ctx, a.statement()+"; "+a.statement())
		return w.count(err)
	case n < 33:
		return w.count(w.copyIn(ctx))
	}
	if _, err := w.conn.Exec(ctx, "BEGIN"); err != nil {
		return err
	}
	truncates := a.IntN(100)
	if truncates == 0 { // before it holds a lock that another client waits for
		if err := w.truncate(ctx); err != nil {
			return err
		}
	}
	if err := w.statements(ctx, 1+a.IntN(4), 0); err != nil {
		return err
	}
	if truncates == 1 {
		if err := w.truncate(ctx); err != nil {
			return err
		}
	}
	switch n := a.IntN(100); {
	case n < 8:
		_, err := w.conn.Exec(ctx, "ROLLBACK")
		return err
	case n < 14:
		return w.prepare(ctx)
	}
	_, err := w.conn.Exec(ctx, "COMMIT")
	return w.count(err)
}

func (w *client) count(err error) error {
	if err != nil {
		return err
	}
	w.committed.Add(1)
	w.tally.copies.Add(int64(w.done.copies))
	w.tally.copiedRows.Add(int64(w.done.copiedRows))
	w.tally.savepoints.Add(int64(w.done.savepoints))
	if w.done.statements > 0 {
		w.tally.copiesAmongOthers.Add(int64(w.done.copies))
	}
	return nil
}

// statements runs n statements, some of them below savepoints that are released or rolled back.
func (w *client) statements(ctx context.Context, n, depth int) error {
	a := w.author
	for range n {
		if depth > 2 || a.IntN(4) > 0 {
			if err := w.statement(ctx); err != nil {
				return err
			}
			continue
		}
		name := fmt.Sprintf("s%d", depth)
		if _, err := w.conn.Exec(ctx, "SAVEPOINT "+name); err != nil {
			return err
		}
		end := "RELEASE "
		if err := w.statements(ctx, 1+a.IntN(3), depth+1); err != nil || a.IntN(2) == 0 {
			end = "ROLLBACK TO "
		}
		if _, err := w.conn.Exec(ctx, end+name); err != nil {
			return err
		}
		if end != "RELEASE " {
			w.done.savepoints++
		}
	}
	return nil
}

// statement runs one statement of a transaction.
func (w *client) statement(ctx context.Context) error {
	if w.author.IntN(40) == 0 {
		return w.copyIn(ctx)
	}
	w.done.statements++
	_, err := w.conn.Exec(ctx, w.author.statement())
	return err
}

// truncates are mostly of tables on which little hangs, so that records live long enough to have a history.
var truncates = []string{"todo_tags", "todo_users", "comments", "checklist_items CASCADE", "checklist_item_users",
	"project_users", "todo_custom_field_options", "todo_tags, todo_users", "todo_users, comments",
	"comments, project_users", "todo_custom_fields CASCADE", "checklists CASCADE", "tags CASCADE",
	"custom_field_options CASCADE", "todos CASCADE"}

// truncate waits longer than a statement does, as its lock is of the whole table.
func (w *client) truncate(ctx context.Context) error {
	w.done.statements++
	_, err := w.conn.Exec(ctx, "SET LOCAL lock_timeout = '2s'; TRUNCATE "+truncates[w.author.IntN(len(truncates))]+
		"; SET LOCAL lock_timeout = '300ms'; "+w.author.statement())
	return err
}

// prepare leaves the transaction to a second phase: at once, or later by whoever comes.
func (w *client) prepare(ctx context.Context) error {
	gid := fmt.Sprintf("soak-%016x", w.author.Uint64())
	if _, err := w.conn.Exec(ctx, "PREPARE TRANSACTION '"+gid+"'"); err != nil {
		return err
	}
	if w.author.IntN(3) == 0 {
		return nil
	}
	w.done = doings{}
	return w.second(ctx, w.conn, gid)
}

func (w *client) second(ctx context.Context, conn *pgx.Conn, gid string) error {
	if w.author.IntN(4) == 0 {
		_, err := conn.Exec(ctx, "ROLLBACK PREPARED '"+gid+"'")
		return err
	}
	_, err := conn.Exec(ctx, "COMMIT PREPARED '"+gid+"'")
	if err == nil {
		w.tally.prepared.Add(1)
	}
	return w.count(err)
}

// resolve ends one of the prepared transactions; another client may be faster.
func (w *client) resolve(ctx context.Context) error {
	var gid string
	err := w.conn.QueryRow(ctx, fmt.Sprintf("SELECT gid FROM pg_prepared_xacts ORDER BY gid < 'soak-%02x', gid LIMIT 1",
		w.author.IntN(256))).Scan(&gid)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return w.second(ctx, w.conn, gid)
}

// resolveAll ends all prepared transactions.
func (c *clients) resolveAll(ctx context.Context, conn *pgx.Conn, round int) error {
	rows, err := conn.Query(ctx, "SELECT gid FROM pg_prepared_xacts ORDER BY gid")
	if err != nil {
		return fmt.Errorf("look for prepared transactions: %w", err)
	}
	gids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for prepared transactions: %w", err)
	}
	w := &client{clients: c}
	for i, gid := range gids {
		w.author = newAuthor(c.seed, ofSecondPhases, round, 0, i)
		if err := w.second(ctx, conn, gid); err != nil {
			return fmt.Errorf("resolve a prepared transaction: %w", err)
		}
	}
	return nil
}
