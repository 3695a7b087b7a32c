//go:build unix

package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// report prints the medians, and how bluetap compares with the floor of as many connections, which stands before it.
func report(out io.Writer, opts options, programs []program, results []result) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "drain of %d transactions\tevents/s\tCPU µs/event\tRSS MiB\tbody B\t\n", opts.backlog)
	for i, p := range programs {
		d := results[i].drains
		fmt.Fprintf(w, "%s\t%.0f\t%d\t%d\t%d\t\n", p.name,
			median(d, func(d drained) float64 { return d.perSecond }),
			median(d, func(d drained) int64 { return d.cpu.Microseconds() }),
			median(d, func(d drained) int64 { return d.rss >> 20 }),
			median(d, func(d drained) int64 { return d.bytes }))
	}
	if len(programs) > 2 {
		ratio := ratioOf(results, func(r result) float64 {
			return median(r.drains, func(d drained) float64 { return d.perSecond })
		})
		cpu := ratioOf(results, func(r result) float64 {
			return median(r.drains, func(d drained) float64 { return float64(d.cpu) })
		})
		fmt.Fprintf(w, "bluetap / floor\t%.2f\t%.2f\t\t\t\n", ratio, cpu)
	}
	fmt.Fprintf(w, "\t\t\t\t\t\nlatency at %d tx/s\tp50 ms\tp99 ms\tmax ms\t\t\n", opts.rate)
	for i, p := range programs {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t\t\n", p.name,
			ms(latencyOf(results[i], p50)), ms(latencyOf(results[i], p99)), ms(latencyOf(results[i], worst)))
	}
	if len(programs) > 2 {
		fmt.Fprintf(w, "bluetap / floor\t%.2f\t%.2f\t%.2f\t\t\n", latencyRatio(results, p50),
			latencyRatio(results, p99), latencyRatio(results, worst))
	}
	return w.Flush()
}

func p50(l latency) time.Duration   { return l.p50 }
func p99(l latency) time.Duration   { return l.p99 }
func worst(l latency) time.Duration { return l.max }

func latencyOf(r result, of func(latency) time.Duration) time.Duration {
	return median(r.latencies, of)
}

func latencyRatio(results []result, of func(latency) time.Duration) float64 {
	return ratioOf(results, func(r result) float64 { return float64(latencyOf(r, of)) })
}

// ratioOf divides the last program's figure by that of the one before it.
func ratioOf(results []result, figure func(result) float64) float64 {
	last := len(results) - 1
	return figure(results[last]) / figure(results[last-1])
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond)) }

// median of a figure over the rounds.
func median[R any, T cmp.Ordered](rounds []R, figure func(R) T) T {
	values := make([]T, len(rounds))
	for i, round := range rounds {
		values[i] = figure(round)
	}
	slices.Sort(values)
	return quantile(values, 0.5)
}
