package daemon

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"bluetap/capture"
)

// reportEvery is how often each stage of a large transaction says how far it is.
const reportEvery = 5 * time.Second

// progress counts the rows of one transaction through its stages. While a stage lasts it says now and then how far it
// is; of what is over sooner than that it says nothing.
type progress struct {
	log         *slog.Logger
	stage       string
	rows        int // done in this stage
	of          int // rows that it has to do
	began, said time.Time
}

func newProgress(log *slog.Logger, end uint64) *progress {
	return &progress{log: log.With("position", capture.LSN(end).String())}
}

// begin begins a stage that has to do so many rows.
func (p *progress) begin(stage string, of int) {
	now := time.Now()
	p.stage, p.rows, p.of, p.began, p.said = stage, 0, of, now, now
}

// done counts rows as done in this stage.
func (p *progress) done(rows int) {
	const look = 256 // rows after which to look at the clock
	before := p.rows
	p.rows += rows
	p.of = max(p.of, p.rows) // a TRUNCATE is one row to the log
	if before/look == p.rows/look {
		return
	}
	if now := time.Now(); now.Sub(p.said) >= reportEvery {
		p.said = now
		p.log.Info("large transaction under way", "stage", p.stage, "rows", p.rows, "of", p.of)
	}
}

// took is how long this stage has lasted, for people.
func (p *progress) took() string { return time.Since(p.began).Round(time.Millisecond).String() }

// until yields what seq yields, and ctx's cause once ctx has ended.
func until[T any](ctx context.Context, seq iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range seq {
			if err == nil && ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			if !yield(v, err) {
				return
			}
		}
	}
}

// counted is until, and counts what is yielded.
func counted[T any](ctx context.Context, p *progress, seq iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range until(ctx, seq) {
			if err == nil {
				p.done(1)
			}
			if !yield(v, err) {
				return
			}
		}
	}
}
