package main

import (
	"hash/maphash"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// counter is a real HTTP server that keeps of each request no more than which event it is of.
type counter struct {
	*httptest.Server
	seed maphash.Seed

	mu   sync.Mutex
	seen map[uint64]struct{} // hashes of ids
	last time.Time
}

func countEvents(t *testing.T) *counter {
	t.Helper()
	c := &counter{seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}}
	c.Server = httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(c.Close)
	return c
}

func (c *counter) serve(_ http.ResponseWriter, request *http.Request) {
	if _, err := io.Copy(io.Discard, request.Body); err != nil {
		return
	}
	id := maphash.String(c.seed, request.Header.Get("webhook-id"))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[id] = struct{}{}
	c.last = time.Now()
}

func (c *counter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

// waitCount waits until so many different events have come. It fails once none has come for an hour. Meanwhile it
// measures something now and then, and returns the most.
func (c *counter) waitCount(t *testing.T, n int, measure func() int64) (most int64) {
	t.Helper()
	look := time.NewTicker(250 * time.Millisecond)
	defer look.Stop()
	for began := time.Now(); c.count() < n; {
		if now := <-look.C; now.Sub(began) > time.Hour {
			t.Fatalf("%d of %d events came", c.count(), n)
		}
		most = max(most, measure())
	}
	return most
}

// reset wants exactly n events and forgets them.
func (c *counter) reset(t *testing.T, n int) {
	t.Helper()
	if got := c.count(); got != n {
		t.Errorf("%d events, want %d", got, n)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.seen)
}
