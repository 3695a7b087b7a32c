//go:build unix

// Package soak is the history test: clients run random transactions on Blue's tables while faults strike the daemon,
// the server, the line, the disk and the receivers, and in the end what was delivered is compared with what was
// committed.
// It runs the real program as a process, and knows nothing of its code: what must be delivered follows from an audit
// table and from the page about events, which is written down here a second time.
package soak

import "time"

// Options say how long and how hard.
type Options struct {
	Program string        // path of bluetap
	Dir     string        // an empty directory for configuration, state and logs, with a short path; kept
	For     time.Duration // how long clients write and faults strike, at least
	// Transactions is how many must be committed before it ends, if that takes longer than For. Default 0: For alone.
	Transactions int
	Faults       int // the same of faults
	Seed         uint64
	Clients      int           // default 4
	Stretch      int           // transactions between two checks; default 1500
	Pause        time.Duration // the longest between two faults, and the measure of how long one lasts; default 2 s
	SnapshotKill int           // how often the daemon is killed in its first snapshot
	SnapshotRows int           // rows that the database has more at first, so that the snapshot lasts
	Only         string        // the one fault that strikes; "" = all
	Progress     func(Result)  // called every second, by one goroutine. nil: nobody is told
}

// Struck returns how many faults there were, and of how many kinds.
func (r Result) Struck() (faults, kinds int) {
	for _, n := range r.Faults {
		if faults += n; n > 0 {
			kinds++
		}
	}
	return faults, kinds
}

// Result is what came of it.
type Result struct {
	Coverage   Coverage
	Seed       uint64
	Elapsed    time.Duration
	Totals     Totals         // of what is checked
	Committed  int            // transactions as the clients were told, checked or not yet
	Attempts   int            // requests that receivers got
	Refused    int            // of these, those that were not answered with 2xx
	Failed     int            // transactions that lost against another client or a fault
	Checks     int            // stretches that were checked
	Faults     map[string]int // that struck, by kind, with 0 for those that did not
	Rest       time.Duration  // the longest that queues took to become empty after the last fault
	Stop       time.Duration  // the longest that the server took to stop
	Violations []string       // in words; the first ones carry their history
}
