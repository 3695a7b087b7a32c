//go:build unix

package soak

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"
)

// Run plays the history. An error says that the test itself could not go on; broken promises are in the result.
func Run(ctx context.Context, o Options) (result Result, err error) {
	if o.Clients == 0 {
		o.Clients = 4
	}
	if o.Stretch == 0 {
		o.Stretch = 1500
	}
	if o.Pause == 0 {
		o.Pause = 2 * time.Second
	}
	s, err := newStage(ctx, o)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	r := &run{Options: o, stage: s, checker: newChecker(s.hooks), began: time.Now(),
		kinds: kindsOf(o)}
	r.clients = &clients{url: s.pg.URL(database), seed: o.Seed, number: o.Clients}
	r.checker.lives = s.install.lives
	defer s.install.lives.pulse()()
	stop := r.watch()
	err = r.play(ctx)
	stop()
	if errors.Is(err, errBroken) {
		r.told, err = append(r.told, err.Error()+r.circumstances()), nil
	}
	result = r.result()
	if len(result.Violations) > 0 {
		err = errors.Join(err, s.keepState())
	}
	return result, err
}

// watch tells of the progress until it is stopped.
func (r *run) watch() (stop func()) {
	if r.Progress == nil {
		return func() {}
	}
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				r.Progress(r.result())
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

// run is a history under way.
type run struct {
	Options
	stage   *stage
	clients *clients
	checker *checker
	truth   truth
	began   time.Time

	logged   int64    // how much of the daemon's log was searched
	coverage Coverage // guarded by mu

	mu     sync.Mutex
	kinds  map[string]int
	log    []struck
	done   int // stretches
	totals Totals
	told   []string // violations

	longestRest, longestStop time.Duration
}

func (r *run) result() Result {
	all, refused := r.stage.receiver.attempts()
	r.mu.Lock()
	defer r.mu.Unlock()
	result := Result{Seed: r.Seed, Elapsed: time.Since(r.began), Totals: r.totals,
		Committed: int(r.clients.committed.Load()), Failed: int(r.clients.failed.Load()), Attempts: all, Refused: refused,
		Checks: r.done, Faults: maps.Clone(r.kinds), Rest: r.longestRest, Stop: r.longestStop}
	result.Violations = append(result.Violations, r.told...)
	result.Coverage = r.coverage
	return result
}

func (r *run) play(ctx context.Context) error {
	if err := r.first(ctx); err != nil {
		return err
	}
	for round := 1; ; round++ {
		if err := r.round(ctx, round); err != nil {
			return err
		}
		if ctx.Err() != nil || len(r.told) > 0 || r.enough() {
			break
		}
	}
	if err := r.stage.daemon.terminate(20 * time.Second); err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	return r.late()
}

// enough tells whether all has happened that was asked for.
func (r *run) enough() bool {
	faults, _ := r.result().Struck()
	return time.Since(r.began) >= r.For && r.totals.Transactions >= r.Transactions && faults >= r.Faults
}

// first makes the snapshot while clients write.
func (r *run) first(ctx context.Context) error {
	writing, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() { r.clients.run(writing, 0, 1<<30) })
	patient, cancel := context.WithTimeout(ctx, 4*time.Minute)
	defer cancel()
	f := r.faults(1)
	killed, err := r.stage.killSnapshots(patient, r.SnapshotKill, func(most time.Duration) { f.some(patient, most) })
	if err != nil {
		return fmt.Errorf("%w: first start: %w", errBroken, err)
	}
	for range killed {
		r.count(snapshotKill)
	}
	r.checker.begins, err = r.stage.begin(patient)
	if err != nil {
		return fmt.Errorf("%w: first start: %w", errBroken, err)
	}
	return nil
}

// faults returns those of a round.
func (r *run) faults(round int) *faults {
	return &faults{stage: r.stage, random: rand.New(rand.NewPCG(r.Seed, uint64(1000+round))), tell: r.note, count: r.count,
		pause: r.Pause}
}

// round lets clients write and faults strike for a stretch, brings all to rest, and checks.
func (r *run) round(ctx context.Context, round int) error {
	left := max(r.For-time.Since(r.began), 2*time.Second)
	writing, cancel := context.WithTimeout(ctx, min(left, 20*time.Second))
	defer cancel()
	striking, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	var strikeErr error
	wg.Go(func() { strikeErr = r.faults(round).run(striking, r.Only) })
	if r.Only == "" {
		random := rand.New(rand.NewPCG(r.Seed, uint64(1_000_000+round)))
		wg.Go(func() { spoil(striking, r.stage.receiver, r.stage.hooks, random, r.Pause, r.note, r.count) })
	}
	r.clients.run(writing, round, r.Stretch)
	stop()
	wg.Wait()
	if strikeErr != nil && ctx.Err() == nil {
		return errors.Join(strikeErr, r.evidence(nil, nil))
	}
	return r.rest(context.WithoutCancel(ctx), round)
}

// rest waits until nothing is under way, and checks the stretch.
func (r *run) rest(ctx context.Context, round int) error {
	ctx, cancel := context.WithTimeout(ctx, restPatience)
	defer cancel()
	conn, err := r.stage.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := r.clients.resolveAll(ctx, conn, round); err != nil {
		return err
	}
	commits, err := r.truth.read(ctx, conn)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "TRUNCATE audit"); err != nil {
		return fmt.Errorf("forget the audit: %w", err)
	}
	began := time.Now()
	at, err := r.stage.empty(ctx, r.truth.last)
	r.rested(time.Since(began), err)
	if len(at.Divergences) > 0 {
		r.checker.violate(0, nil, "the mirror is not what the stream says: %v", at.Divergences)
	}
	if err := r.diverged(); err != nil {
		return err
	}
	got, wrong := r.stage.receiver.take()
	for _, w := range wrong {
		r.checker.violate(0, nil, "%s", w)
	}
	checked, err := r.checker.check(commits, got)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	r.totals = r.checker.totals
	r.coverage = r.checker.coverage.with(&r.clients.tally)
	if len(r.checker.violations) > 0 {
		r.tell(checked, got)
	}
	r.log = nil
	return nil
}

// empty waits until the daemon has applied the last commit and has delivered all, and returns its last status.
func (s *stage) empty(ctx context.Context, last uint64) (status, error) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		// A daemon that has just been started does not answer yet. One that does not know its webhooks is not at rest.
		at, err := s.install.status(ctx)
		if err == nil && len(at.Webhooks) == len(s.hooks) && at.isAt(last) {
			return at, nil
		}
		select {
		case <-ticker.C:
		case <-s.daemon.exited:
			if err := s.revive(); err != nil {
				return at, err
			}
		case <-ctx.Done():
			return at, fmt.Errorf("%+v, the last commit ends at %X: %w", at, last, errors.Join(err, context.Cause(ctx)))
		}
	}
}

// isAt tells whether all up to a commit is delivered.
func (s status) isAt(last uint64) bool {
	if !s.Running || lsn(s.Position.Applied) < last {
		return false
	}
	for _, w := range s.Webhooks {
		if w.Pending > 0 || w.Dead > 0 {
			return false
		}
	}
	return true
}

// lsn reads a position as Postgres prints it.
func lsn(text string) uint64 {
	var high, low uint64
	if _, err := fmt.Sscanf(text, "%X/%X", &high, &low); err != nil {
		return 0
	}
	return high<<32 | low
}

func (r *run) path(name string) string { return filepath.Join(r.Dir, name) }
