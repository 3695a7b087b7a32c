package main

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
)

// kills is how often TestKilledUnderLoad kills the daemon.
const kills = 25

// TestKilledUnderLoad kills the daemon with SIGKILL at random moments while clients commit: while it starts, copies
// the first snapshot, streams and delivers.
func TestKilledUnderLoad(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	to := receive(t)
	// One in twenty attempts fails, so that some events wait for their next attempt when the daemon dies.
	to.answers(func(d delivery) int {
		if len(d.id) > 0 && d.id[len(d.id)-1] == '7' && d.attempt == "1" {
			return 503
		}
		return 200
	})
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8], retry: {schedule: [100ms, 1s, 1s]}}",
		webhookYAML{id: "load", url: to.URL})
	i.start(t).kill() // the first snapshot is taken: what is committed from here on is told
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	l, writing := write(ctx, t, pg, to, 4, seed)
	for n := range kills {
		p := i.run(t)
		if n%5 == 4 { // also before it streams
			<-time.After(time.Duration(random.IntN(300)) * time.Millisecond)
			p.kill()
			continue
		}
		p.waitLog("streaming")
		some, seen := random.IntN(300), len(to.deliveries())
		to.waitFor(t, "more under load", func(delivery) bool { some--; return some+seen < 0 })
		p.kill()
	}
	stop()
	writing.Wait()
	i.start(t)
	waitTold(t, to, l)
	i.waitEmpty(t)
	l.check(t, to.deliveries())
}

// waitTold waits until as many different events have come as the ledger holds.
func waitTold(t *testing.T, to *receiver, l *ledger) {
	t.Helper()
	ids, want := map[string]bool{}, l.total()
	to.waitFor(t, "the last event", func(d delivery) bool {
		ids[d.id] = true
		return len(ids) >= want
	})
}
