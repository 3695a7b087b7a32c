package store

import (
	"encoding/binary"
	"fmt"
	"iter"
	"time"
)

// The outcomes of a delivery.
const (
	StatusDelivered = "delivered"
	StatusDead      = "dead" // kept for a person to look at and replay
)

// maxResponse is how much of a receiver's response is kept.
const maxResponse = 16 << 10

// Delivery is how an entry ended.
type Delivery struct {
	Status   string    // StatusDelivered or StatusDead
	At       time.Time // UTC, microseconds
	Attempts int       // all of them, the last one included
	Code     int       // HTTP status of the last attempt; 0 if there was no response
	Reason   string    // why it failed, in words, without URL and body; "" if delivered
	Response []byte    // the beginning of the response body; what is beyond 16 KiB is cut off
}

// Finish ends an entry: it leaves the queue and its lanes, and d goes to the delivery log. An entry that is no longer
// pending is left alone. A crash may undo it: then it is sent again, under the same id.
func (s *Store) Finish(w uint32, e Entry, d Delivery) error {
	q := s.queue(w)
	var done func()
	err := s.update(func(b *batch) error {
		old, ok, err := s.entry(w, e.Seq)
		if err != nil || !ok {
			return err
		}
		b.remove(key64(spaceQueue, w, e.Seq))
		for _, lane := range old.Lanes {
			b.remove(keySeq(spaceLane, w, lane, e.Seq))
		}
		b.removeDue(w, old)
		b.set(key64(spaceOutcome, w, e.Seq), appendDelivery(nil, d))
		if len(d.Response) > 0 {
			b.set(key64(spaceResponse, w, e.Seq), d.Response[:min(len(d.Response), maxResponse)])
		}
		after := q.finished(d.Status, uint64(old.Bytes))
		b.setCounts(w, after)
		done = func() { q.setCounts(after, e.Seq) }
		return nil
	}, func() {
		if done != nil {
			done()
		}
	})
	if err != nil {
		return fmt.Errorf("finish entry: %w", err)
	}
	return nil
}

// finished returns the counts as they will be after one more outcome.
func (q *queue) finished(status string, size uint64) Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.counts
	c.Pending--
	c.Bytes -= size
	if status == StatusDead {
		c.Dead++
		c.DeadBytes += size
	} else {
		c.Delivered++
	}
	return c
}

// setCounts takes over the counts after the entry seq has ended. Updates are made one at a time, so that nothing can
// have changed them since finished.
func (q *queue) setCounts(c Stats, seq uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.counts = c
	if q.floor == seq {
		q.floor = seq + 1
	}
}

// setCounts writes those counts that cannot be had by counting the queue.
func (b *batch) setCounts(w uint32, c Stats) {
	v := binary.AppendUvarint(nil, c.Delivered)
	v = binary.AppendUvarint(binary.AppendUvarint(v, c.Dead), c.DeadBytes)
	b.set(key32(spaceCounts, w), v)
}

// Outcome is a record of the delivery log.
type Outcome struct {
	Seq      uint64
	Delivery Delivery // without Response
}

// Log yields the delivery log of a webhook from a sequence number on, ascending. An error ends the iteration.
func (s *Store) Log(w uint32, from uint64) iter.Seq2[Outcome, error] {
	return func(yield func(Outcome, error) bool) {
		for r, err := range s.scan(key64(spaceOutcome, w, from), after(key32(spaceOutcome, w))) {
			var o Outcome
			if err == nil {
				o.Seq = seqOf(r.key)
				o.Delivery, err = decodeDelivery(r.value)
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// Delivery returns how an entry ended, response included; false if it has not, or its record has been dropped.
func (s *Store) Delivery(w uint32, seq uint64) (Delivery, bool, error) {
	d, ok, err := s.outcome(w, seq)
	if err != nil || !ok {
		return Delivery{}, false, err
	}
	d.Response, err = s.get(key64(spaceResponse, w, seq))
	return d, err == nil, err
}

func (s *Store) outcome(w uint32, seq uint64) (Delivery, bool, error) {
	v, err := s.get(key64(spaceOutcome, w, seq))
	if err != nil || v == nil {
		return Delivery{}, false, err
	}
	d, err := decodeDelivery(v)
	return d, err == nil, err
}

func appendDelivery(b []byte, d Delivery) []byte {
	b = appendBytes(b, d.Status)
	b = binary.AppendUvarint(b, micros(d.At))
	b = binary.AppendUvarint(b, uint64(d.Attempts))
	b = binary.AppendUvarint(b, uint64(d.Code))
	return appendBytes(b, d.Reason)
}

func decodeDelivery(v []byte) (Delivery, error) {
	d := decoder{b: v}
	out := Delivery{Status: d.string(), At: d.time()}
	out.Attempts, out.Code, out.Reason = d.int(), d.int(), d.string()
	if d.err != nil {
		return Delivery{}, damaged(fmt.Errorf("delivery: %w", d.err))
	}
	return out, nil
}
