package deliver

import (
	"io"
	"net/http"
	"testing"
	"time"
)

// BenchmarkDrain is one event per turn, each of a record of its own, drained from the store to a local receiver.
func BenchmarkDrain(b *testing.B) {
	f := newFixture(b)
	server := serve(b, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	w := f.hook("w", server.URL, func(w *Webhook) { w.Concurrency = 64 })
	for n := range b.N {
		f.add(event{n: n, lanes: []uint64{uint64(n)}, hooks: []uint32{w.Number}})
	}
	b.ReportAllocs()
	b.ResetTimer()
	f.run(w)
	deadline := time.NewTicker(time.Millisecond)
	defer deadline.Stop()
	for f.status("w").Delivered < uint64(b.N) {
		<-deadline.C
	}
}
