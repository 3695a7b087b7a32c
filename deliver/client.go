package deliver

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	idleTimeout    = 90 * time.Second
	maxHeaderBytes = 64 << 10
)

// newClient makes one webhook's client with a transport of its own: a client closes all of its transport's idle
// connections when an attempt fails for good, which must not be another webhook's.
func newClient(w *Webhook, g *guard) *retryablehttp.Client {
	dialer := &net.Dialer{Timeout: w.Timeout, Control: g.control}
	transport := &http.Transport{
		Proxy:                  nil, // the environment's proxies are ignored
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{RootCAs: w.RootCAs, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    w.Timeout,
		MaxIdleConnsPerHost:    w.Concurrency,
		IdleConnTimeout:        idleTimeout,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
	return &retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: plain{transport}, CheckRedirect: refuseRedirect},
		RetryMax:     1,
		CheckRetry:   retryStale,
		Backoff:      func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return 0 },
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
		PrepareRetry: func(r *http.Request) error {
			// The other idle connections are as old as the one that failed.
			transport.CloseIdleConnections()
			return prepareAgain(r)
		},
	}
}

func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// plain hides a redirect's target: http.Client parses it before it asks whether to follow, and a target that does
// not parse would turn the response into an error that quotes it.
type plain struct{ *http.Transport }

func (p plain) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := p.Transport.RoundTrip(r)
	if err == nil && resp.StatusCode >= 300 && resp.StatusCode <= 399 {
		resp.Header.Del("Location")
	}
	return resp, err
}

// wire is what one attempt knows of its connection. Its fields are written by the transport's goroutines.
type wire struct {
	reused    atomic.Bool
	answered  atomic.Bool
	firstByte atomic.Int64 // Unix nanoseconds, 0 = none
	resign    func(http.Header)
}

type wireKey struct{}

func (w *wire) gotConn(reused bool) {
	w.reused.Store(reused)
	w.answered.Store(false)
}

func (w *wire) gotFirstByte(now time.Time) {
	w.answered.Store(true)
	w.firstByte.Store(now.UnixNano())
}

// retryStale sends again only what died on a connection that had been idle, before any byte of a response: the
// receiver closed it meanwhile, which is no failure of the receiver's and no attempt of ours.
func retryStale(ctx context.Context, _ *http.Response, err error) (bool, error) {
	w, ok := ctx.Value(wireKey{}).(*wire)
	return ok && err != nil && ctx.Err() == nil && w.reused.Load() && !w.answered.Load(), nil
}

// prepareAgain signs a second time, on headers of its own: the first request's may still be being written.
func prepareAgain(r *http.Request) error {
	w, ok := r.Context().Value(wireKey{}).(*wire)
	if !ok {
		return nil
	}
	r.Header = r.Header.Clone()
	w.resign(r.Header)
	return nil
}
