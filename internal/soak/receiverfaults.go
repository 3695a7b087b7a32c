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
}{
	{"receiver: 5xx", failsServer}, {"receiver: 4xx", refuses}, {"receiver: hangs", hangs},
	{"receiver: breaks off in the middle of the answer", breaksOff}, {"receiver: resets the connection", resets},
	{"receiver: slow", takesTime},
}

// spoil makes all receivers but the first fail now and then, until ctx ends; then all are well.
func spoil(ctx context.Context, r *receiver, hooks []*hook, random *rand.Rand, pause time.Duration,
	note func(name string),
) {
	wait := func(most time.Duration) {
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(random.Int64N(int64(most)))):
		}
	}
	for wait(pause); ctx.Err() == nil; wait(pause) {
		h, f := hooks[1+random.IntN(len(hooks)-1)], receiverFaults[random.IntN(len(receiverFaults))]
		note(f.name)
		r.behave(h.id, f.manner)
		wait(3 * pause / 2)
		r.behave(h.id, answers)
	}
}
