//go:build unix

package soak

import "time"

// struck is what happened to the parts that play, and when.
type struck struct {
	at   time.Time
	name string
}

// snapshotKill is the name of the fault that strikes before all others.
const snapshotKill = "daemon: SIGKILL in the first snapshot"

// kindsOf returns the kinds that may strike, none of which has.
func kindsOf(o Options) map[string]int {
	all := map[string]int{}
	for _, k := range kinds {
		if o.Only == "" || k.name == o.Only {
			all[k.name] = 0
		}
	}
	for _, f := range receiverFaults {
		if o.Only == "" {
			all[f.name] = 0
		}
	}
	if o.SnapshotKill > 0 {
		all[snapshotKill] = 0
	}
	return all
}

// note keeps what happens for the history.
func (r *run) note(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, struck{time.Now(), what})
}

// count counts a fault that has struck.
func (r *run) count(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kinds[name]++
}

// How long the queues may take to become empty after the last fault. Every retry comes within seconds.
const (
	restAllowed  = time.Minute
	restPatience = 3 * time.Minute // until it is not waited for any more
)

// rested takes how long the queues took to become empty.
func (r *run) rested(took time.Duration, err error) {
	if err != nil {
		r.checker.violate(0, nil, "the queues do not become empty: %v", err)
	} else if took > restAllowed {
		r.checker.violate(0, nil, "the queues took %s to become empty", took.Round(time.Second))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.longestRest, r.longestStop = max(r.longestRest, took), r.stage.longestStop
}
