package daemon

import (
	"iter"
	"slices"

	"bluetap/internal/store"
	"bluetap/mapping"
)

const (
	// forecastLook is how many rows and events are mapped between two looks at what they take.
	forecastLook = 256
	// forecastStep is how many bytes of events are written between two questions for room.
	forecastStep = 8 << 20
)

// forecast tells, while a transaction is mapped, what is still to come by what the rows so far have come to, each table
// for itself: the rows of one make events of a kind. Of a small transaction it knows nothing but counts.
type forecast struct {
	pipeline *pipeline
	overlay  *store.Overlay
	tx       *store.Tx
	progress *progress

	steps  int // rows and events so far
	begun  store.Kept
	grown  bool // events were added: after a crash not before those are passed that the transaction has
	asked  int64
	seen   int64 // what events took at the last look
	table  uint8 // of the row that fired the current event
	total  *[256]int
	rows   [256]int // mapped
	took   [256]int64
	warned []uint32
}

func (p *pipeline) forecast(overlay *store.Overlay, tx *store.Tx, stages *progress) *forecast {
	p.rest = forecast{pipeline: p, overlay: overlay, tx: tx, progress: stages, begun: tx.Kept()}
	return &p.rest
}

// mapped counts a row of which all events have been added.
func (f *forecast) mapped(e mapping.Entity) error {
	f.progress.done(1)
	f.rows[e]++
	return f.step()
}

// event counts an event that is added next.
func (f *forecast) event(e *mapping.Event) error {
	if on := uint8(e.On); on != f.table {
		f.note(f.tx.Kept())
		f.table = on
	}
	return f.step()
}

func (f *forecast) step() error {
	if f.steps++; f.steps%forecastLook != 0 {
		return nil
	}
	f.warn()
	kept := f.tx.Kept()
	f.note(kept)
	if !f.grown || f.asked > 0 && kept.Disk-f.asked < forecastStep || kept.Disk < forecastStep {
		return nil
	}
	return f.ask(kept)
}

// note puts down what was taken since the last time to the table whose rows have been mapped.
func (f *forecast) note(kept store.Kept) {
	if kept.Bytes == f.begun.Bytes {
		return
	}
	if !f.grown {
		f.grown = true
		f.share(f.begun.Disk)
		f.seen = f.begun.Disk
	}
	f.took[f.table] += max(0, kept.Disk-f.seen)
	f.seen = kept.Disk
}

// share puts down what was there before a crash to the rows that it came of, one like the other.
func (f *forecast) share(disk int64) {
	all := 0
	for _, n := range f.rows {
		all += n
	}
	for table, n := range f.rows {
		f.took[table] = disk * int64(n) / int64(max(1, all))
	}
}

// ask asks for the room that the rest takes.
func (f *forecast) ask(kept store.Kept) error {
	first := f.asked == 0
	f.asked = kept.Disk
	if f.total == nil {
		total := f.overlay.Differing()
		f.total = &total
	}
	ratio := float64(kept.Disk) / float64(max(1, kept.Bytes))
	sure, unknown := f.rest()
	if most, bounded := f.pipeline.limits.takes(); bounded {
		most = int64(float64(max(0, most-kept.Bytes)) * ratio)
		sure, unknown = min(sure, most), min(unknown, most)
	}
	applied := int64(float64(f.overlay.Bytes()) * perApplied * min(1, ratio))
	if first {
		f.progress.log.Info("large transaction measured", "rows", f.progress.rows, "of", f.progress.of,
			"needs", sure+unknown+applied)
	}
	return f.pipeline.room.check(sure+applied, sure+unknown+applied)
}

// rest returns what the events of the rows that are left will take: of tables of which events have been seen, and of
// those that have not had their turn. These may make none, as rows that came together with their owner: half of them is
// expected to be like the others.
func (f *forecast) rest() (sure, unknown int64) {
	var took int64
	rows, left := 0, 0
	for table, total := range f.total {
		n := f.rows[table]
		took, rows = took+f.took[table], rows+n
		if n == 0 {
			left += total
			continue
		}
		sure += f.took[table] * int64(max(0, total-n)) / int64(n)
	}
	unknown = took * int64(left) / int64(max(1, rows)) / 2
	// The first rows may be the largest: only as much again is certain enough to refuse.
	if more := sure - took; more > 0 {
		sure, unknown = took, unknown+more
	}
	return sure, unknown
}

// warn says it once of each webhook whose queue the transaction has filled.
func (f *forecast) warn() {
	for _, w := range f.tx.Overflowed() {
		if !slices.Contains(f.warned, w) {
			f.warned = append(f.warned, w)
			f.pipeline.limits.willOverflow(w)
		}
	}
}

// following calls f with each value before it yields it. An error from f ends the iteration.
func following[T any](seq iter.Seq2[T, error], f func(T) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range seq {
			if err == nil {
				err = f(v)
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// takes returns how many bytes of events the queues have room for, all together, and whether there is such a bound:
// one that stops reading takes what has been read.
func (l *limits) takes() (bytes int64, bounded bool) {
	for _, h := range l.hooks {
		pending, dead := l.store.QueueBytes(h.number)
		if taken := pending + dead; taken < uint64(h.max) {
			bytes += int64(uint64(h.max) - taken)
		}
	}
	return bytes, !l.pause
}

// willOverflow warns of a transaction under way whose events are too many for a queue.
func (l *limits) willOverflow(webhook uint32) {
	l.log.Warn("a transaction has more events than the webhook's queue has room for: the rest of them is not queued",
		l.filled(l.hooks[webhook])...)
}
