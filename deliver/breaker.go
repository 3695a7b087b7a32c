package deliver

import "time"

const (
	breakerFailures = 10
	breakerRecords  = 3
	probeFirst      = time.Second
	probeLongest    = time.Minute
)

// breaker decides whether a webhook's endpoint is well. It knows no clock and no goroutine: its owner tells it what
// happened and asks.
type breaker struct {
	open     bool
	failures int                 // in a row
	records  map[uint64]struct{} // the records that those were about, at most breakerRecords
	pause    time.Duration       // between the last probe and the next
	next     time.Time           // when the next probe may go
	last     uint64              // the record of the last probe
}

// fail counts a failure that speaks of the endpoint, and reports whether there are enough of them to open.
func (b *breaker) fail(record uint64) bool {
	b.failures++
	if b.records == nil {
		b.records = make(map[uint64]struct{}, breakerRecords)
	}
	if len(b.records) < breakerRecords {
		b.records[record] = struct{}{}
	}
	return !b.open && b.failures >= breakerFailures
}

// varied reports whether the failures are about enough records to be the endpoint's and not a record's.
func (b *breaker) varied() bool { return len(b.records) >= breakerRecords }

// trip opens: from now on one probe at a time.
func (b *breaker) trip(now time.Time) {
	b.open, b.pause = true, probeFirst
	b.next = now.Add(b.pause)
}

// probed notes a probe without success. An endpoint that answers at all is asked again soon, one that does not is
// given twice the time.
func (b *breaker) probed(now time.Time, record uint64, unwell bool) {
	b.last = record
	if unwell {
		b.pause = min(2*b.pause, probeLongest)
	} else {
		b.pause = probeFirst
	}
	b.next = now.Add(b.pause)
}

// interrupt ends the row of failures: the endpoint answered.
func (b *breaker) interrupt() {
	b.failures = 0
	clear(b.records)
}

// succeed closes the breaker and reports whether it was open.
func (b *breaker) succeed() bool {
	was := b.open
	*b = breaker{}
	return was
}
