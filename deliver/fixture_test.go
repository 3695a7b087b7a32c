package deliver

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"bluetap/internal/store"
)

// patience bounds every wait of a test.
const patience = 3 * time.Minute

// fixture is a real store and the webhooks that deliver from it.
type fixture struct {
	t   testing.TB
	dir string
	st  *store.Store
	end uint64
	d   *Deliverer

	cancel context.CancelFunc // of the last run
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{t: t, dir: t.TempDir()}
	f.open()
	t.Cleanup(func() { _ = f.st.Close() })
	return f
}

func (f *fixture) open() {
	f.t.Helper()
	st, err := store.Open(f.dir, store.Options{})
	if err != nil {
		f.t.Fatal(err)
	}
	st.OnQueued(func(webhooks []uint32) {
		if f.d != nil {
			f.d.Wake(webhooks)
		}
	})
	f.st, f.end = st, st.Applied()
}

// hook makes a webhook with short pauses; change may be nil.
func (f *fixture) hook(id, address string, change func(*Webhook)) Webhook {
	f.t.Helper()
	n, err := f.st.WebhookNumber(id)
	if err != nil {
		f.t.Fatal(err)
	}
	w := Webhook{
		Number: n, ID: id, URL: parseURL(f.t, address), Enabled: true, Secrets: []string{"s"}, Timeout: patience,
		Schedule: []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond, time.Millisecond},
	}
	if change != nil {
		change(&w)
	}
	return w
}

// event is what a test queues: its number becomes id and value.
type event struct {
	n     int
	lanes []uint64
	hooks []uint32
	age   time.Duration
	size  int // of a value beside it
}

// add applies one transaction that holds the events.
func (f *fixture) add(events ...event) {
	f.t.Helper()
	f.end++
	tx, err := f.st.Begin(f.st.NewOverlay(1<<20), f.end, time.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	for _, e := range events {
		err := tx.Add(store.Event{
			ID: "evt_" + strconv.Itoa(e.n), Type: "TODO_CREATED", Committed: time.Now().Add(-e.age),
			LSN: f.end, Values: fmt.Appendf(nil, `"currentValue":{"n":%d,"x":"%0*d"}`, e.n, e.size, e.n),
		}, e.lanes, e.hooks)
		if err != nil {
			f.t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		f.t.Fatal(err)
	}
}

// run starts a Deliverer for the webhooks; stop ends it and waits. It is stopped with the test at the latest.
func (f *fixture) run(hooks ...Webhook) (stop func()) { return f.runWith(Options{}, hooks...) }

func (f *fixture) runWith(o Options, hooks ...Webhook) (stop func()) {
	f.t.Helper()
	o.AllowedNetworks = prefixes("127.0.0.0/8")
	f.d = New(f.st, hooks, o)
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	ended := make(chan error, 1)
	go func(d *Deliverer) { ended <- d.Run(ctx) }(f.d)
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			f.t.Errorf("run: %v", err)
		}
	})
	f.t.Cleanup(stop)
	return stop
}

func (f *fixture) status(id string) WebhookStatus {
	f.t.Helper()
	all, err := f.d.Status()
	if err != nil {
		f.t.Fatal(err)
	}
	for _, s := range all {
		if s.ID == id {
			return s
		}
	}
	f.t.Fatalf("no status of %s", id)
	return WebhookStatus{}
}

// until waits for a condition.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// arrival is a request as a receiver got it.
type arrival struct {
	n       int
	attempt int
	id      string
	body    string
	header  http.Header
}

// receiver answers with what its policy says, 200 by default, and remembers what came.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []arrival
	policy func(arrival) int
}

func newReceiver(t testing.TB, policy func(arrival) int) *receiver {
	t.Helper()
	r := &receiver{policy: policy}
	r.Server = serve(t, r.handle)
	return r
}

func (r *receiver) handle(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	a := arrival{id: req.Header.Get("Webhook-Id"), body: string(body), header: req.Header}
	a.attempt, _ = strconv.Atoi(req.Header.Get("Bluetap-Attempt"))
	_, _ = fmt.Sscanf(a.id, "evt_%d", &a.n)
	code := http.StatusOK
	if r.policy != nil {
		code = r.policy(a)
	}
	r.mu.Lock()
	r.got = append(r.got, a)
	r.mu.Unlock()
	w.WriteHeader(code)
}

func (r *receiver) arrivals() []arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]arrival(nil), r.got...)
}

func (r *receiver) waitFor(t testing.TB, n int) []arrival {
	t.Helper()
	until(t, fmt.Sprintf("%d requests", n), func() bool { return len(r.arrivals()) >= n })
	return r.arrivals()
}

// hang never answers. The body has to be read for the server to notice that the client has gone.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}
