package deliver

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// local may be reached by the tests' webhooks.
func local() *guard { return newGuard(prefixes("127.0.0.0/8")) }

func parseURL(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func testSender(t testing.TB, address string, change func(*Webhook)) *sender {
	t.Helper()
	w := Webhook{ID: "w", URL: parseURL(t, address), Enabled: true, Secrets: []string{"s"}}
	if change != nil {
		change(&w)
	}
	w = w.withDefaults()
	s := newSender(&w, local(), Options{Version: "test", Now: time.Now})
	t.Cleanup(s.close)
	return s
}

func testMessage(s *sender) *message {
	return &message{id: "evt_1", event: "TODO_CREATED", attempt: 2,
		committed: time.Date(2026, 11, 23, 1, 2, 3, 456000, time.UTC), body: s.body("TODO_CREATED", []byte(`"a":1`))}
}

func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func TestRequest(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body []byte
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(context.Background())
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("Retry-After", "7")
		fmt.Fprint(w, "thanks")
	})
	s := testSender(t, server.URL+"/hook?k=v", func(w *Webhook) {
		w.Headers = map[string]string{"authorization": "Bearer x", "User-Agent": "mine"}
	})
	m := testMessage(s)
	res := s.send(t.Context(), m)
	if res.Err != nil || res.Code != 200 || string(res.Body) != "thanks" || res.RetryAfter != 7*time.Second {
		t.Fatalf("got %+v", res)
	}
	if res.FirstByte.Before(res.Started) || res.Ended.Before(res.FirstByte) || res.Reason() != "" {
		t.Errorf("got %v, %v, %v, %q", res.Started, res.FirstByte, res.Ended, res.Reason())
	}
	if !bytes.Equal(body, m.body) || got.Method != "POST" || got.URL.RequestURI() != "/hook?k=v" {
		t.Errorf("got %s %s %s", got.Method, got.URL, body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "bluetap/test", "Authorization": "Bearer x",
		"Webhook-Id": "evt_1", "Bluetap-Event": "TODO_CREATED", "Bluetap-Attempt": "2",
		"Bluetap-Committed-At": "2026-11-23T01:02:03.000456Z", "Bluetap-Replay": "", "Accept-Encoding": "",
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: got %q, want %q", name, got.Header.Get(name), want)
		}
	}
}

func TestRedirectsAreRefused(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int32
	target := serve(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	for _, code := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{target.URL, "http://%zz?token=hush"} {
			var calls atomic.Int32
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				w.Header().Set("Location", location)
				w.WriteHeader(code)
			})
			s := testSender(t, server.URL, nil)
			if res := s.send(t.Context(), testMessage(s)); res.Code != code || res.Err != nil || calls.Load() != 1 {
				t.Errorf("%d to %s: got %+v after %d calls", code, location, res, calls.Load())
			}
		}
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("the redirects' target got %d requests", n)
	}
}

// TestResponseIsBounded: a body without end, one that trickles, and one that would unpack to far more.
func TestResponseIsBounded(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = io.CopyN(z, zeros{}, 8<<20)
	_ = z.Close()
	for name, tc := range map[string]struct {
		timeout time.Duration
		answer  http.HandlerFunc
		check   func(Result) bool
	}{
		"1 GB": {
			patience,
			func(w http.ResponseWriter, _ *http.Request) { _, _ = io.CopyN(w, zeros{}, 1<<30) },
			func(r Result) bool { return len(r.Body) == maxResponse },
		},
		"slow": {
			5 * time.Second,
			func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = w.Write([]byte("x"))
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			},
			func(r Result) bool { return string(r.Body) == "x" && r.Ended.Sub(r.Started) < patience/2 },
		},
		"gzip": {
			patience,
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = w.Write(bomb.Bytes())
			},
			func(r Result) bool { return bytes.Equal(r.Body, bomb.Bytes()[:len(r.Body)]) && len(r.Body) > 1000 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testSender(t, serve(t, tc.answer).URL, func(w *Webhook) { w.Timeout = tc.timeout })
			res := s.send(t.Context(), testMessage(s))
			if res.Code != 200 || res.Err != nil || !tc.check(res) {
				t.Errorf("got %d, %v, %d bytes in %v", res.Code, res.Err, len(res.Body), res.Ended.Sub(res.Started))
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestStaleConnection: a receiver that answers, waits for the next request on the connection and then drops it,
// every time. Only a reused connection is dropped, so no attempt fails.
func TestStaleConnection(t *testing.T) {
	t.Parallel()
	var requests, dropped atomic.Int32
	address := listen(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		if !answer(c, r, &requests) {
			return
		}
		if _, err := r.Peek(1); err == nil {
			dropped.Add(1)
		}
	})
	s := testSender(t, "http://"+address, nil)
	for i := range 5 {
		if res := s.send(t.Context(), testMessage(s)); res.Code != 200 {
			t.Fatalf("attempt %d: got %+v", i, res)
		}
	}
	if requests.Load() != 5 || dropped.Load() != 4 {
		t.Errorf("got %d requests answered and %d dropped, want 5 and 4", requests.Load(), dropped.Load())
	}
}

// TestFreshConnectionIsNotRetried: what dies on a new connection is a failed attempt.
func TestFreshConnectionIsNotRetried(t *testing.T) {
	t.Parallel()
	var connections atomic.Int32
	address := listen(t, func(c net.Conn) {
		connections.Add(1)
		_, _ = http.ReadRequest(bufio.NewReader(c))
	})
	s := testSender(t, "http://"+address, nil)
	if res := s.send(t.Context(), testMessage(s)); res.Err == nil || connections.Load() != 1 {
		t.Errorf("got %+v over %d connections, want an error over 1", res, connections.Load())
	}
}

func answer(c net.Conn, r *bufio.Reader, count *atomic.Int32) bool {
	req, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, req.Body)
	count.Add(1)
	_, err = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	return err == nil
}

// listen hands every connection to handle and closes it afterwards.
func listen(t testing.TB, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			handle(c)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}

// TestFaults: each fault is told by its kind, and neither the URL's query nor what the receiver sent shows.
func TestFaults(t *testing.T) {
	t.Parallel()
	const timeout = "timeout"
	silent := serve(t, hang)
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = refusing.Close()
	garbage := listen(t, func(c net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		_, _ = io.WriteString(c, "token=hush and no HTTP\r\n\r\n")
	})
	for address, want := range map[string]string{
		silent.URL:                           timeout,
		secure.URL:                           "verify certificate",
		"http://" + refusing.Addr().String(): "connect: connection refused",
		"http://10.0.0.1":                    "address not allowed",
		"http://[::1]":                       "address not allowed",
		"http://no-such-host.invalid":        "resolve host",
		"http://" + garbage:                  "no HTTP response",
		"https://" + silent.Listener.Addr().String(): "TLS",
	} {
		s := testSender(t, address+"/?token=hush", func(w *Webhook) {
			if w.Timeout = patience; want == timeout {
				w.Timeout = 200 * time.Millisecond
			}
		})
		res := s.send(t.Context(), testMessage(s))
		if res.Err == nil || res.Code != 0 || !strings.Contains(res.Reason(), want) {
			t.Errorf("%s: got %d, %v, want %q", address, res.Code, res.Err, want)
		}
		if strings.Contains(res.Reason(), "hush") {
			t.Errorf("%s: the reason leaks: %v", address, res.Err)
		}
	}
}

func TestCancelledAttempt(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel(stop)
		<-r.Context().Done()
	})
	s := testSender(t, server.URL, nil)
	if res := s.send(ctx, testMessage(s)); !errors.Is(res.Err, stop) {
		t.Errorf("got %+v, want the cancellation's cause", res)
	}
}
