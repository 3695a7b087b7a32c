package deliver

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// maxResponse is how much of a response's body is read and kept, in bytes.
const maxResponse = 16 << 10

// Result is what became of one attempt.
type Result struct {
	// Code is the HTTP status, 0 if no response came.
	Code int
	// Err is why no response came; nil if one did. It names neither the URL's path or query nor a body.
	Err error
	// RetryAfter is how long the receiver asks to wait, at most 24 h; 0 if it does not.
	RetryAfter time.Duration
	// Body is the start of the response's body as it came over the wire, at most 16 KiB.
	Body []byte
	// Started is when the attempt began, FirstByte when the response did (zero if none) and Ended when it was over.
	Started, FirstByte, Ended time.Time

	header http.Header // of the request
}

// Reason says in a few words why the attempt failed; "" if it did not.
func (r Result) Reason() string {
	switch {
	case r.Err != nil:
		return r.Err.Error()
	case judge(r.Code).delivered:
		return ""
	}
	return fmt.Sprintf("HTTP status %d", r.Code)
}

// sender makes attempts for one webhook. It is safe for concurrent use and keeps nothing of an attempt.
type sender struct {
	url     string
	object  []byte   // the body's "webhook" object, rendered once
	bare    []string // event types whose bodies have none
	headers http.Header
	signer  signer
	timeout time.Duration
	client  *retryablehttp.Client
	now     func() time.Time
}

func newSender(w *Webhook, g *guard, o Options) *sender {
	h := http.Header{}
	for name, value := range w.Headers {
		h.Set(name, value)
	}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "bluetap/"+o.Version)
	return &sender{
		url:     w.URL.String(),
		object:  w.appendObject(nil),
		bare:    o.Bare,
		headers: h,
		signer:  newSigner(w.Secrets),
		timeout: w.Timeout,
		client:  newClient(w, g),
		now:     o.Now,
	}
}

func (s *sender) close() { s.client.HTTPClient.CloseIdleConnections() }

// body puts an event's stored values, an object's members without its braces, behind the event and the webhook.
func (s *sender) body(event string, values []byte) []byte {
	const fixed = len(`{"event":"","webhook":,}`)
	b := make([]byte, 0, fixed+len(event)+len(s.object)+len(values))
	b = append(append(append(b, `{"event":"`...), event...), '"')
	if !slices.Contains(s.bare, event) {
		b = append(append(b, `,"webhook":`...), s.object...)
	}
	if len(values) > 0 {
		b = append(append(b, ','), values...)
	}
	return append(b, '}')
}

// send makes one attempt and returns what became of it, within the webhook's timeout.
func (s *sender) send(ctx context.Context, m *message) Result {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, errTimeout)
	defer cancel()
	res := Result{Started: s.now()}
	w := &wire{resign: func(h http.Header) { s.signer.sign(h, m, s.now()) }}
	req, err := s.request(ctx, w, m)
	if err == nil {
		res.header = req.Header
		var resp *http.Response
		if resp, err = s.client.Do(req); err == nil { //nolint:bodyclose // res.read closes it
			res.read(resp, s.now())
		}
	}
	if err != nil {
		res.Err = classify(ctx, err)
	}
	if at := w.firstByte.Load(); at != 0 {
		res.FirstByte = time.Unix(0, at)
	}
	res.Ended = s.now()
	return res
}

func (s *sender) request(ctx context.Context, w *wire, m *message) (*retryablehttp.Request, error) {
	ctx = context.WithValue(ctx, wireKey{}, w)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              func(info httptrace.GotConnInfo) { w.gotConn(info.Reused) },
		GotFirstResponseByte: func() { w.gotFirstByte(s.now()) },
	})
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, s.url, m.body)
	if err != nil {
		return nil, err
	}
	req.Header = s.headers.Clone()
	m.describe(req.Header)
	s.signer.sign(req.Header, m, s.now())
	return req, nil
}

// read takes the status and as much of the body as is kept. What becomes of the body changes nothing: the receiver
// has answered.
func (r *Result) read(resp *http.Response, now time.Time) {
	defer func() { _ = resp.Body.Close() }()
	r.Code = resp.StatusCode
	r.RetryAfter = retryAfter(resp.Header, now)
	r.Body, _ = io.ReadAll(io.LimitReader(resp.Body, maxResponse))
}
