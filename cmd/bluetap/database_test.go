package main

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"bluetap/internal/blueschema"
	"bluetap/internal/control"
	"bluetap/internal/pgserver"
	"bluetap/internal/pgtest"
)

// TestDeadEndpointsHurtNobodyElse has one endpoint that refuses connections and one that hangs: Postgres' log is
// released, other webhooks get theirs, and Postgres stops fast.
func TestDeadEndpointsHurtNobodyElse(t *testing.T) {
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	healthy, hanging := receive(t), receive(t)
	release := make(chan struct{})
	hanging.answers(func(delivery) int { <-release; return 200 })
	t.Cleanup(func() { close(release) })
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8], timeout: 30s, maxInFlight: 64}",
		webhookYAML{id: "down", url: "http://127.0.0.1:1/"},
		webhookYAML{id: "hanging", url: hanging.URL, extra: []string{"concurrency: 64"}},
		webhookYAML{id: "healthy", url: healthy.URL})
	i.start(t)
	ctx, stop := context.WithCancel(t.Context())
	l, writing := write(ctx, t, pg, healthy, 2, rand.Uint64())
	some := 2000
	healthy.waitFor(t, "2,000 events beside dead endpoints", func(delivery) bool { some--; return some == 0 })
	stop()
	writing.Wait()
	waitTold(t, healthy, l)
	l.check(t, healthy.deliveries())
	waitConfirmed(t, pg)
	if took := pg.Stop(t, pgserver.Fast); took > stopSoon {
		t.Errorf("pg_ctl stop -m fast took %s, want at most %s", took, stopSoon)
	}
}

// TestAlsoWhenAllEndpointsHang is the same with no endpoint that answers.
func TestAlsoWhenAllEndpointsHang(t *testing.T) {
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	hanging := receive(t)
	release := make(chan struct{})
	hanging.answers(func(delivery) int { <-release; return 200 })
	t.Cleanup(func() { close(release) })
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8], timeout: 30s}",
		webhookYAML{id: "hanging", url: hanging.URL})
	p := i.start(t)
	ctx, stop := context.WithCancel(t.Context())
	l, writing := write(ctx, t, pg, nil, 2, rand.Uint64())
	waitUntil(t, "1,000 events committed", func() bool { return l.total() > 1000 })
	stop()
	writing.Wait()
	waitConfirmed(t, pg)
	if took := pg.Stop(t, pgserver.Fast); took > stopSoon {
		t.Errorf("pg_ctl stop -m fast took %s, want at most %s", took, stopSoon)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d after SIGTERM with requests hanging and Postgres gone, want 0", code)
	}
}

// TestIdleBesideABusyServer lets the slot advance while only tables that are not published, and another database,
// write; stopping and starting the idle daemon is never taken for a gap.
func TestIdleBesideABusyServer(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+`CREATE TABLE unpublished (x text);`)
	pg.CreateDB(t, "other")
	pg.Exec(t, "other", "CREATE TABLE busy (x text)")
	to := receive(t)
	i := install(t, pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}", webhookYAML{id: "idle", url: to.URL})
	for range 3 {
		p := i.start(t)
		pg.Exec(t, "postgres", "INSERT INTO unpublished SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
		waitConfirmed(t, pg)
		pg.Exec(t, "other", "INSERT INTO busy SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
		waitConfirmed(t, pg)
		if code := p.stop(); code != 0 {
			t.Fatalf("exit code %d, want 0", code)
		}
		pg.Exec(t, "other", "INSERT INTO busy SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
	}
	i.start(t)
	pg.Exec(t, "postgres", blueschema.InsertTodoCreated())
	to.waitForBody(t, "TODO_CREATED", "GGGG")
	if n := len(to.deliveries()); n != 1 {
		t.Errorf("%d deliveries, want 1", n)
	}
}

// stopSoon is how long a server may take to stop that nobody holds up; with a client that does, it takes until
// wal_sender_timeout, a minute.
const stopSoon = 20 * time.Second

// TestDatabaseFaults restarts Postgres in both ways, kills walsenders and cuts the connection under load.
func TestDatabaseFaults(t *testing.T) {
	pg := pgtest.Start(t, pgtest.WithFsync())
	pg.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated())
	to := receive(t)
	proxy := pgtest.NewProxy(t, pg.Addr())
	i := install(t, pg.URLAt(proxy.Addr(), "postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}",
		webhookYAML{id: "faults", url: to.URL})
	i.start(t)
	var all []*ledger
	faults := []struct {
		name string
		do   func()
	}{
		{"walsender killed", func() { pg.TerminateWalsenders(t) }},
		{"connection cut", proxy.Cut},
		{"connection stalled and cut", func() { proxy.Stall(); proxy.Cut(); proxy.Resume() }},
		{"stopped fast", func() { pg.Stop(t, pgserver.Fast); pg.Start(t) }},
		{"stopped immediately", func() { pg.Stop(t, pgserver.Immediate); pg.Start(t) }},
	}
	for n, fault := range faults {
		ctx, stop := context.WithCancel(t.Context())
		l, writing := writeNamed(ctx, t, pg, to, 3, uint64(n), fault.name)
		waitUntil(t, "load", func() bool { return l.total() > 300 })
		if strings.HasPrefix(fault.name, "stopped") { // the writers could not tell what was committed
			stop()
			writing.Wait()
		}
		fault.do()
		stop()
		writing.Wait()
		all = append(all, l)
	}
	l := merge(all)
	waitTold(t, to, l)
	l.check(t, to.deliveries())
}

// waitConfirmed waits until the slot has confirmed all that is in the log now.
func waitConfirmed(t *testing.T, pg *pgtest.Server) {
	t.Helper()
	now := strings.TrimSpace(pg.Exec(t, "postgres", "SELECT pg_current_wal_lsn()"))
	waitUntil(t, "confirmed_flush_lsn at "+now, func() bool {
		return strings.TrimSpace(pg.Exec(t, "postgres", "SELECT confirmed_flush_lsn >= '"+now+
			"' FROM pg_replication_slots WHERE slot_name = 'bluetap'")) == "t"
	})
}

// waitUntil asks often until it is true.
func waitUntil(t *testing.T, what string, is func() bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !is(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not in %s", what, patience)
		}
	}
}

// waitEmpty waits until nothing is pending for any webhook.
func (i *instance) waitEmpty(t *testing.T) control.Status {
	t.Helper()
	var status control.Status
	waitUntil(t, "empty queues", func() bool {
		var err error
		if status, err = control.AskStatus(t.Context(), i.state); err != nil {
			t.Fatal(err)
		}
		pending := uint64(0)
		for _, w := range status.Webhooks {
			pending += w.Pending
		}
		return pending == 0
	})
	return status
}
