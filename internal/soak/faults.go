//go:build unix

package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"

	"bluetap/internal/pgserver"

	"github.com/jackc/pgx/v5/pgconn"
)

// fault is one kind of what goes wrong. It ends with everything running again, though not yet caught up.
type fault struct {
	name   string
	weight int
	strike func(f *faults, ctx context.Context) error
	needs  func(s *stage) bool // nil: nothing
}

// faults strike the daemon, the server and the line, one after the other.
type faults struct {
	*stage
	random *rand.Rand
	note   func(name string) // counts a fault
	missed func(name string) // takes the count back
	pause  time.Duration     // the longest between two faults; what lasts does so for a few times as long
}

var kinds = []fault{
	{"daemon: SIGKILL", 6, (*faults).killDaemon, nil},
	{"daemon: SIGKILL while it starts", 3, (*faults).killStarting, nil},
	{"daemon: SIGTERM", 2, (*faults).terminateDaemon, nil},
	{"daemon: SIGSTOP", 3, (*faults).stopDaemon, nil},
	{"postgres: walsender terminated", 4, (*faults).terminateWalsender, nil},
	{"postgres: stopped immediately", 3, (*faults).crashPostgres, nil},
	{"postgres: stopped fast", 2, (*faults).restartPostgres, nil},
	{"line: cut", 3, (*faults).cutLine, nil},
	{"line: stalled", 3, (*faults).stallLine, nil},
	{"line: slow", 2, (*faults).slowLine, nil},
	{"line: half closed", 3, (*faults).halfCloseLine, nil},
	{"disk: full", 2, (*faults).fillDisk, func(s *stage) bool { return s.small != "" }},
	{"disk: fsync fails", 2, (*faults).failSync, func(s *stage) bool { return s.daemon.under != nil }},
	{"clock: jumps", 3, (*faults).jumpClock, func(s *stage) bool { return s.daemon.under != nil }},
	{"daemon: SIGKILL in a staged transaction", 1, (*faults).killStaged, nil},
}

// some waits for up to most, or until ctx ends.
func (f *faults) some(ctx context.Context, most time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(f.random.Int64N(int64(most)))):
	}
}

// run lets faults strike until ctx ends. One that has begun is brought to its end.
func (f *faults) run(ctx context.Context, only string) error {
	for f.some(ctx, f.pause); ctx.Err() == nil; f.some(ctx, f.pause) {
		if f.daemon.ended() {
			if err := f.revive(); err != nil {
				return err
			}
		}
		k := f.pick(only)
		f.note(k.name)
		err := k.strike(f, ctx)
		if errors.Is(err, errMissed) {
			f.missed(k.name)
		} else if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
	}
	return nil
}

// pick picks a fault that can strike here.
func (f *faults) pick(only string) fault {
	var can []fault
	for _, k := range kinds {
		if (k.needs == nil || k.needs(f.stage)) && (only == "" || k.name == only) {
			can = append(can, slices.Repeat([]fault{k}, k.weight)...)
		}
	}
	return can[f.random.IntN(len(can))]
}

// errMissed says that a fault changed nothing, and does not count.
var errMissed = errors.New("nothing was struck")

// errBroken says that the daemon or the server did what it must not do, whatever the events are.
var errBroken = errors.New("broken")

func (f *faults) start() (err error) {
	f.daemon, err = f.install.start()
	return err
}

func (f *faults) killDaemon(ctx context.Context) error {
	f.daemon.kill()
	f.some(ctx, 300*time.Millisecond)
	return f.start()
}

func (f *faults) killStarting(ctx context.Context) error {
	f.daemon.kill()
	for range 1 + f.random.IntN(3) {
		if err := f.start(); err != nil {
			return err
		}
		f.some(ctx, 400*time.Millisecond)
		if f.daemon.ended() {
			return f.revive()
		}
		f.daemon.kill()
	}
	return f.start()
}

func (f *faults) terminateDaemon(context.Context) error {
	f.daemon.waitReady()
	if err := f.daemon.terminate(20 * time.Second); err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	return f.start()
}

// stopDaemon freezes the process, now and then for longer than the server waits.
func (f *faults) stopDaemon(ctx context.Context) error {
	most := f.pause / 2
	if f.random.IntN(3) == 0 {
		most = 4 * f.pause
	}
	if err := f.daemon.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return errMissed // it has just ended
	}
	f.some(ctx, most)
	f.install.lives.note()
	return f.daemon.cmd.Process.Signal(syscall.SIGCONT)
}

func (f *faults) terminateWalsender(ctx context.Context) error {
	return f.execute(context.WithoutCancel(ctx),
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'walsender'`)
}

func (f *faults) crashPostgres(ctx context.Context) error {
	return f.cyclePostgres(ctx, pgserver.Immediate)
}

func (f *faults) restartPostgres(ctx context.Context) error {
	return f.cyclePostgres(ctx, pgserver.Fast)
}

// stopPatience is how long the server may take to stop: a daemon with slow receivers must not hold it up.
const stopPatience = 20 * time.Second

func (f *faults) cyclePostgres(ctx context.Context, mode pgserver.Mode) error {
	whole := context.WithoutCancel(ctx)
	bounded, cancel := context.WithTimeout(whole, stopPatience)
	defer cancel()
	stopErr := f.pg.Stop(bounded, mode)
	if f.random.IntN(3) == 0 {
		f.daemon.kill()
		if err := f.start(); err != nil {
			return err
		}
	}
	f.some(ctx, f.pause/2)
	if err := f.pg.Start(whole); err != nil {
		return err
	}
	if stopErr != nil {
		return fmt.Errorf("%w: %w", errBroken, stopErr)
	}
	return nil
}

func (f *faults) cutLine(context.Context) error {
	f.line.cut()
	return nil
}

func (f *faults) halfCloseLine(context.Context) error {
	f.line.halfClose(f.random.IntN(2) == 0)
	return nil
}

// stallLine lets nothing through, now and then for longer than the server waits.
func (f *faults) stallLine(ctx context.Context) error {
	f.line.set(true, false)
	f.some(ctx, 4*f.pause)
	f.line.set(false, false)
	return nil
}

func (f *faults) slowLine(ctx context.Context) error {
	f.line.set(false, true)
	f.some(ctx, 2*f.pause)
	f.line.set(false, false)
	return nil
}

// killStaged commits a transaction of which not all fits into memory, and kills the daemon while it works through it.
// It changes users who stand in no value: a large transaction of few events.
func (f *faults) killStaged(ctx context.Context) error {
	whole := context.WithoutCancel(ctx)
	for _, sql := range []string{
		fmt.Sprintf(`INSERT INTO users (id, email, first_name) SELECT 'giant%d-' || i, '', repeat(md5(i::text), 250)
			FROM generate_series(1, 5500) i;
			UPDATE todos SET title = title || '!' WHERE id IN (SELECT id FROM todos WHERE id < '8' FOR UPDATE SKIP LOCKED)`,
			f.random.Uint32()),
		`DELETE FROM users WHERE id LIKE 'giant%';
			UPDATE todos SET done = NOT done WHERE id IN (SELECT id FROM todos WHERE id > '8' FOR UPDATE SKIP LOCKED)`} {
		if err := f.execute(whole, sql); err != nil {
			return err
		}
		patient, cancel := context.WithTimeout(whole, 30*time.Second)
		staged := f.daemon.waitLog(patient, "large transaction staged")
		cancel()
		if f.daemon.ended() {
			return f.revive()
		}
		if !staged {
			return errors.New("the transaction was not staged")
		}
		f.some(whole, 300*time.Millisecond)
		f.daemon.kill()
		if err := f.start(); err != nil {
			return err
		}
	}
	return nil
}

// execute runs SQL. It waits for no client for long: one that is prepared may hold its locks until all is at rest.
func (f *faults) execute(ctx context.Context, sql string) error {
	conn, err := f.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, session); err != nil {
		return err
	}
	for range 5 {
		_, err := conn.Exec(ctx, sql)
		var pgErr *pgconn.PgError
		if !errors.As(err, &pgErr) || pgErr.Code != "40P01" && pgErr.Code != "55P03" { // a deadlock, a lock not had
			return err
		}
	}
	return errMissed
}

// waitReady waits until a young daemon heeds signals and has its state open.
func (p *process) waitReady() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	p.waitLog(ctx, "streaming")
}
