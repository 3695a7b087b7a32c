//go:build unix

package soak

import (
	"context"
	"math/rand/v2"
	"time"
)

// receiverFaults are the kinds that strike receivers, one after the other, while the others strike elsewhere.
var receiverFaults = []struct {
	name   string
	manner manner
	all    bool // every receiver at once; else any but the first
}{
	{"receiver: 5xx", failsServer, false}, {"receiver: 4xx", refuses, false}, {"receiver: hangs", hangs, false},
	{"receiver: breaks off in the middle of the answer", breaksOff, false},
	{"receiver: resets the connection", resets, false}, {"receiver: takes most of the timeout", takesTime, false},
	{"receiver: 429 or 503 with Retry-After", asksToWait, false},
	{"receiver: breaks off in the body of a 200", cutsBody, false}, {"receiver: all answer 5xx", failsServer, true},
}

// spoil makes receivers fail now and then, until ctx ends; then all are well. What answered nobody does not count.
func spoil(ctx context.Context, r *receiver, hooks []*hook, random *rand.Rand, pause time.Duration,
	tell, count func(string),
) {
	wait := func(most time.Duration) {
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(random.Int64N(int64(most)))):
		}
	}
	for wait(pause); ctx.Err() == nil; wait(pause) {
		f := receiverFaults[random.IntN(len(receiverFaults))]
		n := 1 + random.IntN(len(hooks)-1)
		struck := hooks[n : n+1]
		if f.all {
			struck = hooks
		}
		tell(f.name)
		for _, h := range struck {
			r.behave(h.id, f.manner)
		}
		wait(3 * pause / 2)
		answered := 1 << 30
		for _, h := range struck {
			answered = min(answered, r.behave(h.id, answers))
		}
		if answered > 0 {
			count(f.name)
		} else {
			tell(f.name + ": nobody was answered")
		}
	}
}
