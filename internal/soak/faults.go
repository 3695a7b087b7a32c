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
)

// fault is one kind of what goes wrong. It ends with everything running again, though not yet caught up. Its strike
// returns nil only if something was struck.
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
	tell   func(what string) // what happens, for the history
	count  func(name string) // a fault that struck
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

// leastFelt is how long what lasts has to last to count.
const leastFelt = 100 * time.Millisecond

// last lets a fault last for up to most. It reports false if ctx ended before that could be felt.
func (f *faults) last(ctx context.Context, most time.Duration) bool {
	began := time.Now()
	f.some(ctx, most)
	if left := leastFelt - time.Since(began); left > 0 {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(left):
		}
	}
	return true
}

// run lets faults strike until ctx ends. One that has begun is brought to its end.
func (f *faults) run(ctx context.Context, only string) error {
	for f.some(ctx, f.pause); ctx.Err() == nil; f.some(ctx, f.pause) {
		if f.daemon.ended() {
			if err := f.revive(); err != nil {
				return err
			}
		}
		k, err := f.pick(only)
		if err != nil {
			return err
		}
		f.tell(k.name)
		switch err := k.strike(f, ctx); {
		case err == nil:
			f.count(k.name)
		case errors.Is(err, errMissed):
			f.tell(k.name + ": nothing was struck")
		default:
			return fmt.Errorf("%s: %w", k.name, err)
		}
	}
	return nil
}

// pick picks a fault that can strike here.
func (f *faults) pick(only string) (fault, error) {
	var can []fault
	for _, k := range kinds {
		if (k.needs == nil || k.needs(f.stage)) && (only == "" || k.name == only) {
			can = append(can, slices.Repeat([]fault{k}, k.weight)...)
		}
	}
	if len(can) == 0 {
		return fault{}, fmt.Errorf("%w: %q", ErrNoFault, only)
	}
	return can[f.random.IntN(len(can))], nil
}

// ErrNoFault says that this system has no way to make the fault that Options.Only asks for.
var ErrNoFault = errors.New("fault cannot strike here")

// errMissed says that a fault changed nothing, and does not count.
var errMissed = errors.New("nothing was struck")

// errBroken says that the daemon or the server did what it must not do, whatever the events are.
var errBroken = errors.New("broken")

func (f *faults) start() (err error) {
	f.daemon, err = f.install.start()
	return err
}

// kill kills the daemon. If it had just ended by itself it is started again, if it had a reason to, and nothing was
// struck.
func (f *faults) kill() error {
	f.daemon.kill()
	if f.daemon.killed() {
		return nil
	}
	if err := f.revive(); err != nil {
		return err
	}
	return errMissed
}

func (f *faults) killDaemon(ctx context.Context) error {
	if err := f.kill(); err != nil {
		return err
	}
	f.some(ctx, 300*time.Millisecond)
	return f.start()
}

// killStarting kills the daemon again and again before it streams.
func (f *faults) killStarting(ctx context.Context) error {
	if err := f.kill(); err != nil {
		return err
	}
	result := errMissed
	for range 1 + f.random.IntN(3) {
		if err := f.start(); err != nil {
			return err
		}
		f.some(ctx, 400*time.Millisecond)
		begun := f.daemon.begun()
		if err := f.kill(); err != nil {
			return err
		}
		if streams, _ := f.daemon.log.said("streaming"); begun && !streams {
			result = nil
		}
	}
	if err := f.start(); err != nil {
		return err
	}
	return result
}

func (f *faults) terminateDaemon(context.Context) error {
	f.daemon.waitReady()
	if err := f.daemon.terminate(20 * time.Second); err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	before := f.daemon
	if err := f.start(); err != nil {
		return err
	}
	if !before.cmd.ProcessState.Success() {
		return errMissed // it was giving up
	}
	return nil
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
	felt := f.last(ctx, most)
	f.install.lives.note()
	if err := f.daemon.cmd.Process.Signal(syscall.SIGCONT); err != nil || !felt {
		return errMissed
	}
	return nil
}

func (f *faults) terminateWalsender(ctx context.Context) error {
	if !f.line.connected(ctx, connectPatience) {
		return errMissed
	}
	n, err := f.execute(context.WithoutCancel(ctx),
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'walsender'`)
	if err == nil && n == 0 {
		return errMissed
	}
	return err
}

func (f *faults) crashPostgres(ctx context.Context) error {
	return f.cyclePostgres(ctx, pgserver.Immediate)
}

func (f *faults) restartPostgres(ctx context.Context) error {
	return f.cyclePostgres(ctx, pgserver.Fast)
}

// stopPatience is how long the server may take to stop. A daemon with slow receivers must not hold it up; one that is
// mute would, for the four seconds of wal_sender_timeout and what the server needs itself.
const stopPatience = 5 * time.Second

func (f *faults) cyclePostgres(ctx context.Context, mode pgserver.Mode) error {
	whole := context.WithoutCancel(ctx)
	bounded, cancel := context.WithTimeout(whole, stopPatience)
	defer cancel()
	began := time.Now()
	stopErr := f.pg.Stop(bounded, mode)
	f.longestStop = max(f.longestStop, time.Since(began))
	var killErr error
	if f.random.IntN(3) == 0 {
		killErr = f.restartKilled()
	}
	f.some(ctx, f.pause/2)
	if err := f.pg.Start(whole); err != nil {
		return err
	}
	if stopErr != nil {
		return fmt.Errorf("%w: %w", errBroken, stopErr)
	}
	if errors.Is(killErr, errMissed) {
		return nil // the server was struck
	}
	return killErr
}

// waitReady waits until a young daemon heeds signals and has its state open.
func (p *process) waitReady() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	p.waitLog(ctx, "streaming")
}
