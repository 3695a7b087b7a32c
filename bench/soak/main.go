//go:build unix

// Command soak plays the history test (internal/soak) for as long as asked: random transactions and faults against the
// real daemon, and a check of everything that was delivered against everything that was committed. Its exit code is 0
// only if nothing that is promised was broken, and enough happened to say so.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"bluetap/internal/soak"
)

func main() {
	soak.Launch()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	o, kinds, err := parse(os.Args[1:])
	if err != nil {
		os.Exit(2)
	}
	ok, err := run(ctx, o, kinds, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func parse(args []string) (o soak.Options, kinds int, err error) {
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.StringVar(&o.Program, "bluetap", "bin/bluetap", "the program")
	flags.DurationVar(&o.For, "for", time.Hour, "how long clients write and faults strike")
	flags.IntVar(&o.Transactions, "transactions", 0, "transactions at least, also if they take longer")
	flags.IntVar(&o.Faults, "faults", 1, "faults that must have struck, also if they take longer")
	flags.IntVar(&kinds, "kinds", 1, "kinds of faults that must have struck at the end")
	flags.Uint64Var(&o.Seed, "seed", rand.Uint64(), "what is tried, and which faults come")
	flags.IntVar(&o.Clients, "clients", 4, "clients that write")
	flags.IntVar(&o.Stretch, "stretch", 1500, "transactions between two checks")
	flags.DurationVar(&o.Pause, "pause", 2*time.Second, "the longest pause between two faults")
	flags.IntVar(&o.SnapshotKill, "snapshot-kills", 5, "kills in the first snapshot")
	flags.IntVar(&o.SnapshotRows, "snapshot-rows", 20_000, "rows that the first snapshot has more")
	flags.StringVar(&o.Only, "only", "", "the one fault that strikes")
	return o, kinds, flags.Parse(args)
}

// logEvery is how often progress is told where nobody watches.
const logEvery = 10 * time.Second

func run(ctx context.Context, o soak.Options, kinds int, out io.Writer) (bool, error) {
	var err error
	if o.Dir, err = os.MkdirTemp("", "bluetap-soak-"); err != nil {
		return false, fmt.Errorf("make directory: %w", err)
	}
	fmt.Fprintf(out, "seed %d, %s, everything in %s\n", o.Seed, o.For, o.Dir)
	terminal := isTerminal(os.Stdout)
	last := time.Now()
	o.Progress = func(r soak.Result) {
		switch {
		case terminal:
			fmt.Fprintf(out, "\r\033[K%s", progress(r))
		case time.Since(last) >= logEvery:
			last = time.Now()
			fmt.Fprintln(out, progress(r))
		}
	}
	result, err := soak.Run(ctx, o)
	if terminal {
		fmt.Fprintln(out)
	}
	report(out, result)
	if err == nil && ctx.Err() == nil {
		err = enough(o, kinds, result)
	}
	if err != nil || len(result.Violations) > 0 {
		fmt.Fprintf(out, "what it was taken from is in %s\n", o.Dir)
		return false, err
	}
	return true, os.RemoveAll(o.Dir)
}

// errTooLittle says that nothing was found broken, and that this says nothing.
var errTooLittle = errors.New("too little happened")

func enough(o soak.Options, kinds int, r soak.Result) error {
	faults, of := r.Struck()
	if len(r.Violations) == 0 && (faults < o.Faults || of < kinds || r.Totals.Transactions < o.Transactions) {
		return fmt.Errorf("%w: %d transactions and %d faults of %d kinds, of %d, %d and %d", errTooLittle,
			r.Totals.Transactions, faults, of, o.Transactions, o.Faults, kinds)
	}
	return nil
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func progress(r soak.Result) string {
	faults, _ := r.Struck()
	return fmt.Sprintf("%s: %d transactions, %d faults, %d attempts; checked %d times: %d transactions, %d events, %d "+
		"violations", r.Elapsed.Round(time.Second), r.Committed, faults, r.Attempts, r.Checks, r.Totals.Transactions,
		r.Totals.Events, len(r.Violations))
}

// report is the table at the end.
func report(out io.Writer, r soak.Result) {
	for _, v := range r.Violations {
		fmt.Fprintf(out, "VIOLATION: %s\n", v)
	}
	r.Coverage.Print(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%d\tseed\t\n", r.Seed)
	for _, line := range []struct {
		took time.Duration
		what string
	}{{r.Elapsed, "elapsed"}, {r.Rest, "until all was delivered after a fault, at most"},
		{r.Stop, "until PostgreSQL had stopped, at most"}} {
		fmt.Fprintf(w, "%s\t%s\t\n", line.took.Round(100*time.Millisecond), line.what)
	}
	for _, line := range []struct {
		n    int
		what string
	}{{r.Totals.Transactions, "transactions committed"}, {r.Failed, "transactions failed"},
		{r.Totals.Events, "events delivered, over all webhooks"}, {r.Attempts, "attempts received"},
		{r.Refused, "attempts answered with a failure"}, {r.Totals.Duplicates, "attempts of an event that had come before"},
		{r.Totals.Unexplained, "of these without a fault that explains them: late answers"},
		{r.Checks, "checks"}} {
		fmt.Fprintf(w, "%d\t%s\t\n", line.n, line.what)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Faults)) {
		fmt.Fprintf(w, "%d\t%s\t\n", r.Faults[name], strings.ReplaceAll(name, "\t", " "))
	}
	faults, kinds := r.Struck()
	fmt.Fprintf(w, "%d\tfaults of %d kinds\t\n", faults, kinds)
	fmt.Fprintf(w, "%d\tviolations\t\n", len(r.Violations))
	_ = w.Flush()
}
