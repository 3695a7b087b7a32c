//go:build unix

// Command quick measures bluetap beside a bare floor (bench/floor), on a PostgreSQL of its own and with a receiver
// that answers at once: the drain of a backlog, and the latency of single transactions. The programs take turns in
// interleaved rounds and get the same rows; the figures are medians of the rounds. It takes less than two minutes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"bluetap/internal/hint"
)

// options of the command line.
type options struct {
	bluetap, floor, body string
	rounds, backlog      int
	rate                 int
	length               time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	opts, err := parse(os.Args[1:])
	if err != nil {
		os.Exit(2)
	}
	if err := run(ctx, opts, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		if next := hint.Of(err); next != "" {
			fmt.Fprintln(os.Stderr, next)
		}
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("quick", flag.ContinueOnError)
	flags.StringVar(&o.bluetap, "bluetap", "bin/bluetap", "the program; empty = the floor alone")
	flags.StringVar(&o.floor, "floor", "bin/floor", "the floor's program")
	flags.StringVar(&o.body, "body", "mapping/testdata/todo_created.json", "file with the floor's body")
	flags.IntVar(&o.rounds, "rounds", 3, "rounds of each measurement")
	flags.IntVar(&o.backlog, "backlog", 20_000, "transactions of a backlog")
	flags.IntVar(&o.rate, "rate", 200, "transactions a second for the latency")
	flags.DurationVar(&o.length, "length", 3400*time.Millisecond, "how long one latency round writes")
	return o, flags.Parse(args)
}

func run(ctx context.Context, opts options, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "bluetap-bench-")
	if err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	programs, err := b.programs(ctx, opts, dir)
	if err != nil {
		return err
	}
	results, err := b.rounds(ctx, opts, programs)
	if err != nil {
		return err
	}
	return report(out, opts, programs, results)
}

// programs returns the floor with one connection, the floor with 64, and bluetap with 64.
func (b *bench) programs(ctx context.Context, opts options, dir string) ([]program, error) {
	var programs []program
	for _, connections := range []int{1, 64} {
		p, err := b.floor(ctx, opts.floor, opts.body, connections)
		if err != nil {
			return nil, err
		}
		programs = append(programs, p)
	}
	if opts.bluetap == "" {
		return programs, nil
	}
	p, err := b.bluetap(ctx, opts.bluetap, opts.body, dir, 64)
	return append(programs, p), err
}

// result of one program, a value a round.
type result struct {
	drains    []drained
	latencies []latency
}

// rounds lets each round begin with another program, so that none always finds the warmest machine.
func (b *bench) rounds(ctx context.Context, opts options, programs []program) ([]result, error) {
	results := make([]result, len(programs))
	for round := range opts.rounds {
		ids, err := b.backlog(ctx, opts.backlog)
		if err != nil {
			return nil, err
		}
		for turn := range programs {
			i := (round + turn) % len(programs)
			d, err := b.drain(ctx, programs[i], ids)
			if err != nil {
				return nil, err
			}
			results[i].drains = append(results[i].drains, d)
		}
		for turn := range programs {
			i := (round + turn) % len(programs)
			l, err := b.pace(ctx, programs[i], opts.rate, opts.length)
			if err != nil {
				return nil, err
			}
			results[i].latencies = append(results[i].latencies, l)
		}
		fmt.Fprintf(os.Stderr, "round %d of %d done\n", round+1, opts.rounds)
	}
	return results, nil
}
