//go:build unix

package soak

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// secret is what all webhooks sign with.
const secret = "the secret of the history test"

// arrival is one request as it came.
type arrival struct {
	id, event string
	lsn       uint64 // from the id
	attempt   string
	committed time.Time // as its header says
	body      [sha256.Size]byte
	values    *[]byte // previousValue and currentValue, shared by arrivals with the same ones
	answer    string  // what it got
	at        time.Time
}

// manner is how a webhook's receiver answers at the moment.
type manner int

// The manners. Those up to cutsBody are deliveries nevertheless.
const (
	answers     manner = iota // 200 at once
	takesTime                 // 200 after most of the time that the sender waits
	cutsBody                  // 200, and the connection ends in the middle of the body
	failsServer               // 500, 502 or 503
	asksToWait                // 429 or 503 with Retry-After
	refuses                   // 400, 404 or 422
	hangs                     // no answer until the sender gives up
	breaksOff                 // the connection ends in the middle of the answer
	resets                    // the connection is reset before an answer
)

// receiver is an HTTP server with a path for each hook.
type receiver struct {
	url     string
	server  *http.Server
	serving sync.WaitGroup
	ended   chan struct{} // closed when it is time to answer no more

	mu     sync.Mutex
	hooks  map[string]*hook // never changed
	values map[[sha256.Size]byte]*[]byte
	faults []string // requests that are wrong whatever the truth is
	failed int      // attempts that were not answered with 2xx
	count  int      // all attempts
}

func newReceiver(hooks []*hook) (*receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	r := &receiver{url: "http://" + listener.Addr().String(), ended: make(chan struct{}), hooks: map[string]*hook{},
		values: map[[sha256.Size]byte]*[]byte{}}
	for _, h := range hooks {
		h.setURL(r.url + "/" + h.id)
		r.hooks[h.id] = h
	}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: time.Minute}
	r.serving.Go(func() { _ = r.server.Serve(listener) })
	return r, nil
}

func (r *receiver) close() error {
	close(r.ended)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := r.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, r.server.Close())
	}
	r.serving.Wait()
	return err
}

// behave changes how a hook is answered, and returns how many requests were answered as before.
func (r *receiver) behave(id string, m manner) (struck int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.hooks[id]
	struck = h.struck
	h.manner, h.struck = m, 0
	return struck
}

// ServeHTTP takes one attempt of a delivery.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // cut off while it was sent: nothing came
	}
	a := readRequest(request.Header, body)
	h, m, n := r.enter(strings.TrimPrefix(request.URL.Path, "/"), a, body, request.Header)
	if h == nil {
		http.NotFound(w, request)
		return
	}
	r.answer(w, request, m, n)
}

// enter keeps an arrival, and tells how it is to be answered and the how manieth it is.
func (r *receiver) enter(path string, a *arrival, body []byte, header http.Header) (*hook, manner, int) {
	h := r.hooks[path]
	wrong := "there is no such webhook"
	if h != nil {
		wrong = h.wrongIn(a, header, body)
	}
	if wrong != "" {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.faults = append(r.faults, fmt.Sprintf("%s to %q, webhook-id %q: %s: %.300s", a.event, path, a.id, wrong, body))
		return nil, answers, 0
	}
	values := h.valuesOf(a, body)
	sum := sha256.Sum256(values)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.values[sum] == nil {
		r.values[sum] = &values
	}
	a.values, a.answer = r.values[sum], answerNames[h.manner]
	h.got = append(h.got, a)
	r.count++
	h.struck++
	if h.manner > cutsBody {
		r.failed++
	}
	return h, h.manner, r.count
}

var answerNames = map[manner]string{answers: "200", takesTime: "200, slowly", cutsBody: "200, its body cut",
	failsServer: "5xx", asksToWait: "429 or 503, Retry-After 1", refuses: "4xx",
	hangs: "none, it hung", breaksOff: "broken off in the middle", resets: "connection reset"}

var statuses = map[manner][]int{failsServer: {500, 502, 503}, refuses: {400, 404, 422}, asksToWait: {429, 503, 429}}

func (r *receiver) answer(w http.ResponseWriter, request *http.Request, m manner, n int) {
	switch m {
	case takesTime:
		select {
		case <-time.After(time.Duration(500+n%300) * time.Millisecond):
		case <-request.Context().Done():
		}
	case asksToWait:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(statuses[m][n%3])
	case failsServer, refuses:
		w.WriteHeader(statuses[m][n%3])
	case hangs:
		select {
		case <-request.Context().Done():
		case <-r.ended:
		}
	case breaksOff, resets, cutsBody:
		breakConnection(w, m)
	}
}

var brokenAnswers = map[manner]string{breaksOff: "HTTP/1.1 200 OK\r\nContent-Type: text/pl",
	cutsBody: "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\ntaken, b"}

// breakConnection ends the connection, for breaksOff within the headers, for cutsBody after them: then it is a
// delivery, as the status is all that counts.
func breakConnection(w http.ResponseWriter, m manner) {
	conn, out, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	if begin := brokenAnswers[m]; begin != "" {
		_, _ = out.WriteString(begin)
		_ = out.Flush()
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

// take returns what has come since it was called last, by hook, and begins anew.
func (r *receiver) take() (map[string][]*arrival, []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := map[string][]*arrival{}
	for id, h := range r.hooks {
		got[id], h.got = h.got, nil
	}
	faults := r.faults
	r.faults = nil
	clear(r.values)
	return got, faults
}

// attempts returns how many requests came, and how many of them were not answered with 2xx.
func (r *receiver) attempts() (all, failed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count, r.failed
}
