//go:build unix

package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// maxBody bounds what is read of a request.
const maxBody = 16 << 20

// arrival is one request that the receiver got.
type arrival struct {
	id, event string
	subject   string        // the record's title, name or text
	at        time.Time     // when the headers were there
	took      time.Duration // since the commit, by the same clock
	fault     error         // why it is not to be trusted, or nil
}

// receiver is an HTTP server that trusts nothing that is not signed.
type receiver struct {
	url      string
	arrivals chan arrival
	server   *http.Server
	ignored  chan struct{} // closed by ignore
	served   chan error    // of the server's goroutine
	verifier verifier
}

// newReceiver starts a receiver on a free port of 127.0.0.1. The caller must close it.
func newReceiver(secret string) (*receiver, error) {
	v, err := newVerifier(secret)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for deliveries: %w", err)
	}
	r := &receiver{url: "http://" + listener.Addr().String(), verifier: v, arrivals: make(chan arrival),
		ignored: make(chan struct{}), served: make(chan error, 1)}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: time.Minute}
	go func() { r.served <- r.server.Serve(listener) }()
	return r, nil
}

// ServeHTTP answers once the arrival is taken: whoever knows that the daemon has nothing left knows all of them.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	at := time.Now()
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxBody))
	if err != nil {
		return // cut off: no delivery
	}
	a := r.verifier.read(request.Header, body, at)
	if a.fault != nil {
		w.WriteHeader(http.StatusUnauthorized)
	}
	select {
	case r.arrivals <- a:
	case <-r.ignored:
	}
}

// ignore makes the receiver answer without waiting that somebody takes the arrival. It is called once.
func (r *receiver) ignore() { close(r.ignored) }

// close must be called after ignore.
func (r *receiver) close() error {
	err := r.server.Shutdown(context.Background()) // no request waits for anything any more
	if served := <-r.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("close the receiver: %w", err)
	}
	return nil
}
