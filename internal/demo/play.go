//go:build unix

package demo

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bluetap/internal/control"
	"bluetap/internal/pgserver"
)

// patience is how long a step's events may take. After that the day is over, and the table names what is missing.
const patience = 10 * time.Second

// play plays the day. What did not arrive as expected is in the tally, and no error.
func (d *demo) play(ctx context.Context) error {
	for _, s := range day {
		d.screen.step(s.at, s.caption)
		if _, err := d.app.PgConn().Exec(ctx, s.sql).ReadAll(); err != nil {
			return fmt.Errorf("play %s: %w", s.at, err)
		}
		due := slices.Clone(s.want)
		err := d.receive(ctx, patience, d.dueOf(&due), func() bool { return len(due) == 0 })
		if errors.Is(err, errLate) {
			d.screen.late(due)
			return nil
		}
		if err == nil && d.Pace > 0 {
			err = d.receive(ctx, d.Pace, d.dueOf(&due), never)
		}
		if err != nil && !errors.Is(err, errLate) {
			return err
		}
	}
	return d.settle(ctx)
}

// dueOf judges arrivals by what is due, and takes from it what has come.
func (d *demo) dueOf(due *[]string) func(a arrival) string {
	return func(a arrival) string {
		i := slices.Index(*due, a.event)
		if i < 0 {
			return "not expected"
		}
		*due = slices.Delete(*due, i, i+1)
		if a.fault == nil {
			d.tally.expected(a)
		}
		return ""
	}
}

// settleEvery is how often the daemon is asked whether it has anything left.
const settleEvery = 20 * time.Millisecond

// settle receives until the daemon has nothing left to deliver: an event too many must not slip through because it is
// the last. A delivery is pending until it is answered, and answered only when it was received here.
func (d *demo) settle(ctx context.Context) error {
	var nothing []string
	for deadline := time.Now().Add(patience); ; {
		status, err := control.AskStatus(ctx, d.path(stateDir))
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(status.Webhooks, func(w control.Webhook) bool { return w.Pending > 0 }) {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.New("the daemon still has something to deliver")
		}
		if err := d.receive(ctx, settleEvery, d.dueOf(&nothing), never); !errors.Is(err, errLate) {
			return err
		}
	}
}

// errLate says that what was waited for did not come in time.
var errLate = errors.New("too late")

func never() bool { return false }

// receive shows what arrives until done says so, or the time is over: errLate. judge says what is wrong with an arrival
// that has no fault of its own, or "".
func (d *demo) receive(ctx context.Context, limit time.Duration, judge func(a arrival) string, done func() bool) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for !done() {
		select {
		case a := <-d.receiver.arrivals:
			d.land(a, judge)
		case <-timer.C:
			return errLate
		case <-d.daemon.exited:
			return d.daemon.failed()
		case <-d.pg.Exited():
			return errors.New("PostgreSQL ended early")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if d.screen.err != nil {
			return d.screen.err
		}
	}
	return nil
}

// land shows one arrival, unless it is the second of its event.
func (d *demo) land(a arrival, judge func(a arrival) string) {
	if d.tally.again(a) {
		return
	}
	wrong := judge(a)
	if a.fault != nil {
		wrong = a.fault.Error()
	}
	if wrong != "" {
		d.tally.fault(a, wrong)
	}
	d.screen.delivery(a, wrong)
}

// keep goes on showing what arrives until ctx ends, which is its ordinary end.
func (d *demo) keep(ctx context.Context) error {
	d.screen.stays(d.psql(), d.Program+" status --config "+d.path(configFile))
	anything := func(arrival) string { return "" }
	for {
		err := d.receive(ctx, time.Hour, anything, never)
		if errors.Is(err, errLate) {
			continue
		}
		if ctx.Err() != nil {
			err = nil
		}
		return err
	}
}

// psql is the command for another terminal. The server's own psql is there also where none is in the PATH.
func (d *demo) psql() string {
	program := "psql"
	if _, err := exec.LookPath(program); err != nil {
		if bin, err := pgserver.FindBinaries(); err == nil {
			program = filepath.Join(bin, program)
		}
	}
	url, _, _ := strings.Cut(d.pg.URL(database), "?") // a query would need quotes
	return program + " " + url
}
