//go:build unix

// Package demo shows bluetap at work: a throw-away PostgreSQL with Blue's tables, a receiver that verifies what it
// gets, the real daemon as a process of its own, and a day of a small team in which all of Blue's events fire.
package demo

import (
	"context"
	_ "embed" // team.sql
	"errors"
	"io"
	"time"
)

//go:embed team.sql
var team string

// Options are what Run needs.
type Options struct {
	// Program is the path of the bluetap that is shown, this one as a rule: `setup` and `run` are called as commands.
	Program string
	Called  string    // Program as it was called, to be shown where the same works again
	Version string    // as `bluetap version` prints it
	Out     io.Writer // what is shown, as lines
	Color   bool      // Out is a terminal that knows colours. Default: plain text
	// Pace is the pause after each step of the day, for people to follow. 0: steps follow each other as soon as their
	// events have arrived.
	Pace time.Duration
	// Keep leaves everything running after the day, until ctx ends.
	Keep bool
}

// ErrInterrupted is returned when ctx ends before the day does: what the demo is to show has not been shown.
var ErrInterrupted = errors.New("interrupted before the end of the day")

// Run plays the demo. It returns nil only if every event that was expected arrived, verified, and no other; with Keep
// it then goes on until ctx ends. What it started has ended and what it wrote is removed when it returns. If instead
// the process is killed, PostgreSQL and the daemon die with it (on Linux), but their directories in $TMPDIR stay.
func Run(ctx context.Context, o Options) error {
	d := &demo{Options: o, screen: &screen{out: o.Out, color: o.Color}, tally: newTally(day)}
	return errors.Join(d.run(ctx), d.close())
}

func (d *demo) run(ctx context.Context) error {
	d.screen.line("%s", d.screen.bold("bluetap "+d.Version+": a day of a small team, on a throw-away PostgreSQL"))
	d.screen.line("")
	err := d.start(ctx)
	if err == nil {
		err = d.play(ctx)
	}
	if err != nil && ctx.Err() != nil {
		return ErrInterrupted // whatever failed then failed because of it
	}
	if err != nil {
		return err
	}
	d.screen.table(d.tally)
	if d.Keep {
		err = d.keep(ctx)
	} else {
		d.screen.goOn(d.Called)
	}
	return errors.Join(err, d.tally.err(), d.screen.err)
}
