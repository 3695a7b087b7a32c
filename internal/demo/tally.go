//go:build unix

package demo

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"bluetap/mapping"
)

// tally counts what arrived against what was expected.
type tally struct {
	want   map[string]int             // by event, over all steps
	took   map[string][]time.Duration // of what was expected and arrived, verified
	seen   map[string]bool            // by webhook-id
	faults []string                   // what arrived and should not have
}

func newTally(steps []step) *tally {
	t := &tally{want: map[string]int{}, took: map[string][]time.Duration{}, seen: map[string]bool{}}
	for _, s := range steps {
		for _, event := range s.want {
			t.want[event]++
		}
	}
	return t
}

// again tells whether the event has come before: at least once is what is promised.
func (t *tally) again(a arrival) bool {
	again := t.seen[a.id]
	t.seen[a.id] = true
	return again
}

// expected counts a verified delivery of an expected event.
func (t *tally) expected(a arrival) { t.took[a.event] = append(t.took[a.event], a.took) }

func (t *tally) fault(a arrival, what string) { t.faults = append(t.faults, a.event+": "+what) }

// events returns what is expected, in the order of the event table.
func (t *tally) events() []string {
	return slices.DeleteFunc(mapping.EventTypes(), func(event string) bool { return t.want[event] == 0 })
}

// total returns how many events have arrived in full, and the latencies of all deliveries, the shortest first.
func (t *tally) total() (whole int, took []time.Duration) {
	for _, event := range t.events() {
		if len(t.took[event]) == t.want[event] {
			whole++
		}
		took = append(took, t.took[event]...)
	}
	slices.Sort(took)
	return whole, took
}

// err names what is missing and what was wrong. It is nil if all is as expected.
func (t *tally) err() error {
	var missing []string
	for _, event := range t.events() {
		if n := t.want[event] - len(t.took[event]); n > 0 {
			missing = append(missing, fmt.Sprintf("%s (%d of %d)", event, n, t.want[event]))
		}
	}
	var errs []error
	if len(missing) > 0 {
		errs = append(errs, fmt.Errorf("missing: %s", strings.Join(missing, ", ")))
	}
	if len(t.faults) > 0 {
		errs = append(errs, fmt.Errorf("wrong: %s", strings.Join(t.faults, ", ")))
	}
	return errors.Join(errs...)
}

// percentile returns the p-th percentile (nearest rank) of what is sorted, 0 of nothing.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(int(math.Ceil(p/100*float64(len(sorted))))-1, 0)]
}
