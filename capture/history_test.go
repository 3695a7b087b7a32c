//go:build unix

package capture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"bluetap/internal/pgserver"
	"bluetap/internal/pgtest"
)

// write commits and rolls back transactions of all kinds on rows of its own until stop is closed; faults of the line
// to the server make it connect again.
func (s *source) write(t *testing.T, writer int, stop <-chan struct{}) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(writer), 1))
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		id, other := writer*1000+rng.IntN(50), writer*1000+rng.IntN(50)
		end := [...]string{"COMMIT", "COMMIT", "ROLLBACK"}[rng.IntN(3)]
		sql := fmt.Sprintf(`BEGIN;
			INSERT INTO a VALUES (%[1]d, repeat('x', %[3]d), %[4]d) ON CONFLICT (id) DO UPDATE SET n = EXCLUDED.n;
			SAVEPOINT s; UPDATE a SET n = -1 WHERE id BETWEEN %[5]d AND %[5]d + 99; ROLLBACK TO s;
			UPDATE a SET id = %[2]d WHERE id = %[1]d AND NOT EXISTS (SELECT FROM a WHERE id = %[2]d);
			INSERT INTO f SELECT %[4]d * 10 + %[6]d, 'f'; DELETE FROM f WHERE id %% 10 = %[6]d AND id < %[4]d * 10 - 100;
			%[7]s`, id, other, rng.IntN(4)*1500, i, writer*1000, writer, end)
		conn, err := connect(t.Context(), Config{URL: s.URL("postgres") + "&search_path=public"})
		if err != nil {
			continue // the server is down just now
		}
		_, err = query(t.Context(), conn, "SET search_path = public; "+sql)
		closeConn(conn)
		if err != nil && !Retryable(err) && t.Context().Err() == nil {
			t.Errorf("write: %v", err)
			return
		}
	}
}

// TestHistory applies what comes through all kinds of faults, strictly: a transaction that comes twice, not at all or
// in another order makes the mirror differ from the tables. The end of a stream loses all that was not stored.
func TestHistory(t *testing.T) {
	s := newSource(t, schema)
	proxy := pgtest.NewProxy(t, s.Addr())
	s.cfg.URL = s.URLAt(proxy.Addr(), "postgres")
	s.cfg.MemoryBudget, s.cfg.QueueBytes = 2000, 20_000
	stop, writers := make(chan struct{}), sync.WaitGroup{}
	for w := range 3 {
		writers.Go(func() { s.write(t, w+1, stop) })
	}
	mirror := &rows{m: map[string]string{}}
	faults := []func(){
		proxy.Cut,
		func() { s.TerminateWalsenders(t) },
		func() { s.Stop(t, pgserver.Immediate); s.Start(t) },
		func() { s.Stop(t, pgserver.Fast); s.Start(t) },
	}
	r := s.run(t)
	for round := range 15 {
		for range 20 {
			s.store(t, r, mirror)
		}
		if round%3 == 2 {
			r.halt(t)
			r = s.run(t)
		}
		faults[round%len(faults)]()
	}
	close(stop)
	writers.Wait()
	s.Exec(t, "postgres", "INSERT INTO p VALUES (1, 'end')")
	for mirror.m["p 1"] == "" {
		s.store(t, r, mirror)
	}
	compare(t, s, mirror.m)
}

// store takes a transaction as a caller does: what it applied is stored, and only then confirmed.
func (s *source) store(t *testing.T, r *running, mirror *rows) {
	t.Helper()
	tx, err := r.Next(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	if tx.End <= s.start.Position {
		t.Fatalf("transaction %s comes again after %s", tx.End, s.start.Position)
	}
	mirror.apply(t, tx)
	s.start.Position = tx.End
	r.Confirm(tx.End)
	if err := tx.Close(); err != nil {
		t.Fatal(err)
	}
}
