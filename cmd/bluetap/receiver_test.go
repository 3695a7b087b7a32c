package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// delivery is one request as it came.
type delivery struct {
	path, id, event, attempt string
	header                   http.Header
	body                     string
	at                       time.Time
}

// receiver is a real HTTP server that keeps what it gets.
type receiver struct {
	*httptest.Server

	mu     sync.Mutex
	got    []delivery
	ids    map[string]bool               // of what came
	more   chan struct{}                 // closed and replaced at every delivery
	answer func(d delivery) (status int) // nil: 200
}

func receive(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{more: make(chan struct{}), ids: map[string]bool{}}
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) serve(w http.ResponseWriter, request *http.Request) {
	at := time.Now()
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // cut off: bluetap was killed while it sent, which is no delivery
	}
	d := delivery{path: request.URL.Path, id: request.Header.Get("webhook-id"), event: request.Header.Get("bluetap-event"),
		attempt: request.Header.Get("bluetap-attempt"), header: request.Header, body: string(body), at: at}
	r.mu.Lock()
	answer := r.answer
	r.mu.Unlock()
	status := http.StatusOK
	if answer != nil {
		status = answer(d)
	}
	r.mu.Lock()
	r.got = append(r.got, d)
	r.ids[d.id] = true
	close(r.more)
	r.more = make(chan struct{})
	r.mu.Unlock()
	w.WriteHeader(status)
}

// deliveries returns what has come so far.
func (r *receiver) deliveries() []delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]delivery(nil), r.got...)
}

// told returns how many different events have come so far.
func (r *receiver) told() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ids)
}

// answers sets the status that requests are answered with; answer may block.
func (r *receiver) answers(answer func(d delivery) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// waitFor waits until a delivery satisfies found and returns all that came up to it.
func (r *receiver) waitFor(t *testing.T, what string, found func(d delivery) bool) []delivery {
	t.Helper()
	timeout := time.After(patience)
	for next := 0; ; {
		r.mu.Lock()
		got, more := r.got[:len(r.got):len(r.got)], r.more
		r.mu.Unlock()
		for ; next < len(got); next++ {
			if found(got[next]) {
				return got[:next+1]
			}
		}
		select {
		case <-more:
		case <-timeout:
			t.Fatalf("%s was not delivered in %s; %d deliveries came", what, patience, len(got))
		}
	}
}

// waitForBody waits until a body of the event holds the text.
func (r *receiver) waitForBody(t *testing.T, event, text string) []delivery {
	t.Helper()
	return r.waitFor(t, event+" with "+text, func(d delivery) bool {
		return d.event == event && strings.Contains(d.body, text)
	})
}
