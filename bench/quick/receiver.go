//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// receiver answers every request with 200 at once and notes when the events arrived that it was told to expect.
type receiver struct {
	server http.Server
	url    string

	mu       sync.Mutex
	expected map[string]time.Time // id of a todo → when its COMMIT was sent
	arrived  arrivals
	drained  chan struct{} // gets a value when nothing is expected any more; room for one
}

// arrivals is what a measurement is made from. Its events are in the order of arrival.
type arrivals struct {
	first, last time.Time
	latencies   []time.Duration
	bytes       int64
}

func newReceiver() (*receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	r := &receiver{
		url:      "http://" + listener.Addr().String() + "/",
		expected: map[string]time.Time{},
		drained:  make(chan struct{}, 1),
	}
	r.server.Handler = r
	go func() { _ = r.server.Serve(listener) }() // ends with close, at the end of the program
	return r, nil
}

func (r *receiver) close() error { return r.server.Close() }

// ServeHTTP runs when the headers have arrived: that is the time that counts.
func (r *receiver) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	now := time.Now()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	r.arrive(todoID(body), now, int64(len(body)))
}

// todoID returns the id of the body's current value, or "".
func todoID(body []byte) string {
	_, after, _ := bytes.Cut(body, []byte(`"currentValue":{"id":"`))
	id, _, _ := bytes.Cut(after, []byte(`"`))
	return string(id)
}

func (r *receiver) arrive(id string, now time.Time, size int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent, ok := r.expected[id]
	if !ok {
		return // another program's row, or a second delivery
	}
	delete(r.expected, id)
	if r.arrived.first.IsZero() {
		r.arrived.first = now
	}
	r.arrived.last = now
	r.arrived.bytes += size
	r.arrived.latencies = append(r.arrived.latencies, now.Sub(sent))
	if len(r.expected) == 0 {
		select {
		case r.drained <- struct{}{}:
		default:
		}
	}
}

// expect adds a todo whose COMMIT is sent at a time.
func (r *receiver) expect(id string, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expected[id] = at
}

// wait returns what arrived since the last wait, once nothing is expected any more. stopped ends it with an error.
func (r *receiver) wait(ctx context.Context, stopped <-chan struct{}) (arrivals, error) {
	for {
		if result, ok := r.take(); ok {
			return result, nil
		}
		select {
		case <-r.drained:
		case <-stopped:
			return arrivals{}, errors.New("wait for deliveries: the program ended")
		case <-ctx.Done():
			return arrivals{}, fmt.Errorf("wait for deliveries: %d have not come: %w", r.missing(), context.Cause(ctx))
		}
	}
}

func (r *receiver) missing() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.expected)
}

func (r *receiver) take() (arrivals, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.expected) > 0 {
		return arrivals{}, false
	}
	result := r.arrived
	r.arrived = arrivals{}
	return result, true
}
