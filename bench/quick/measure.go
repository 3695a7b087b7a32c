//go:build unix

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"bluetap/internal/pgserver"

	"github.com/jackc/pgx/v5"
)

// patience bounds each step, so that a program that hangs is an error and no silence.
const patience = 2 * time.Minute

// bench holds what the measurements share.
type bench struct {
	pg       *pgserver.Server
	conn     *pgx.Conn
	receiver *receiver
	made     int // todos inserted so far; their ids count
}

const insertTodo = `INSERT INTO todos (id, title, todo_list_id, created_by_id)
	VALUES ($1, 'Write it down', 'clakt9v5t000kvt64f563l90l', 'claksl2ye0000vtas0h0ln71e')`

// insertBacklog commits row by row on the server's side; ids are those of nextID.
const insertBacklog = `DO $$ BEGIN FOR i IN %d..%d LOOP
	INSERT INTO todos (id, title, todo_list_id, created_by_id) VALUES ('bench' || lpad(i::text, 20, '0'),
		'Write it down', 'clakt9v5t000kvt64f563l90l', 'claksl2ye0000vtas0h0ln71e');
	COMMIT; END LOOP; END $$`

// nextID is as long as one of Blue's own ids.
func (b *bench) nextID() string {
	b.made++
	return fmt.Sprintf("bench%020d", b.made)
}

// backlog commits n todos, a transaction each, while no program runs, and returns their ids.
func (b *bench) backlog(ctx context.Context, n int) ([]string, error) {
	first := b.made + 1
	ids := make([]string, n)
	for i := range ids {
		ids[i] = b.nextID()
	}
	if _, err := b.conn.Exec(ctx, fmt.Sprintf(insertBacklog, first, b.made)); err != nil {
		return nil, fmt.Errorf("write backlog: %w", err)
	}
	return ids, nil
}

// drained is the outcome of one drain.
type drained struct {
	perSecond float64
	cpu       time.Duration // per event, starting and stopping included
	rss       int64
	bytes     int64 // of a body, on average
}

// drain starts the program on a backlog and stops it when all has been delivered.
func (b *bench) drain(ctx context.Context, p program, ids []string) (drained, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, id := range ids {
		b.receiver.expect(id, time.Time{})
	}
	running, err := p.start(ctx)
	if err != nil {
		return drained{}, err
	}
	got, err := b.receiver.wait(ctx, running.exited)
	used, err := running.stop(ctx, err)
	if err != nil {
		return drained{}, err
	}
	n := len(ids)
	return drained{
		perSecond: float64(n) / got.last.Sub(got.first).Seconds(),
		cpu:       used.cpu / time.Duration(n),
		rss:       used.rss,
		bytes:     got.bytes / int64(n),
	}, nil
}

// latency is the outcome of one round of single transactions.
type latency struct{ p50, p99, max time.Duration }

// pace starts the program, lets it catch up with what it missed, and then commits transactions at an even pace.
func (b *bench) pace(ctx context.Context, p program, perSecond int, length time.Duration) (latency, error) {
	ctx, cancel := context.WithTimeout(ctx, patience+length)
	defer cancel()
	running, err := p.start(ctx)
	if err != nil {
		return latency{}, err
	}
	got, err := b.paceRunning(ctx, running, perSecond, length)
	if _, err := running.stop(ctx, err); err != nil {
		return latency{}, err
	}
	slices.Sort(got.latencies)
	return latency{quantile(got.latencies, 0.5), quantile(got.latencies, 0.99), quantile(got.latencies, 1)}, nil
}

func (b *bench) paceRunning(
	ctx context.Context, running *process, perSecond int, length time.Duration,
) (arrivals, error) {
	if err := running.awaitStreaming(ctx); err != nil {
		return arrivals{}, err
	}
	warm := perSecond / 4 // the first is delivered once the program has caught up, the others open connections
	if err := b.write(ctx, warm, perSecond); err != nil {
		return arrivals{}, err
	}
	if _, err := b.receiver.wait(ctx, running.exited); err != nil {
		return arrivals{}, err
	}
	if err := b.write(ctx, int(float64(perSecond)*length.Seconds()), perSecond); err != nil {
		return arrivals{}, err
	}
	return b.receiver.wait(ctx, running.exited)
}

// write commits n transactions, perSecond of them a second.
func (b *bench) write(ctx context.Context, n, perSecond int) error {
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for range n {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := b.writeOne(ctx); err != nil {
			return fmt.Errorf("write todo: %w", err)
		}
	}
	return nil
}

// writeOne takes the time between the insert and its COMMIT.
func (b *bench) writeOne(ctx context.Context) error {
	tx, err := b.conn.Begin(ctx)
	if err != nil {
		return err
	}
	id := b.nextID()
	if _, err := tx.Exec(ctx, insertTodo, id); err != nil {
		return err
	}
	b.receiver.expect(id, time.Now())
	return tx.Commit(ctx)
}

// quantile of sorted values, the nearest rank; 0 without values.
func quantile[T any](sorted []T, q float64) T {
	var zero T
	if len(sorted) == 0 {
		return zero
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
