package store

import (
	"context"
	"encoding/binary"
	"errors"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"bluetap/internal/hint"
)

// codecs read a record and, if it is sound, write what was read.
var codecs = []struct {
	name string
	read func(v []byte) (any, error)
	emit func(b []byte, record any) []byte
}{
	{"queue entry", func(v []byte) (any, error) { return decodeEntry(7, v) },
		func(b []byte, r any) []byte { return appendEntry(b, r.(Entry)) }},
	{"delivery", func(v []byte) (any, error) { return decodeDelivery(v) },
		func(b []byte, r any) []byte { return appendDelivery(b, r.(Delivery)) }},
	{"event", func(v []byte) (any, error) {
		ev, webhooks, err := decodeEvent(v)
		return routedEvent{ev, webhooks}, err
	}, func(b []byte, r any) []byte {
		return append(b, encodeEvent(r.(routedEvent).Event, r.(routedEvent).webhooks)...)
	}},
	{"staged change", func(v []byte) (any, error) { return decodeChange(rowID{1, "k"}, v) },
		func(b []byte, r any) []byte { return appendRow(appendRow(b, r.(Change).Before), r.(Change).After) }},
}

// routedEvent is what the record of an event holds.
type routedEvent struct {
	Event
	webhooks []uint32
}

// sampleRecords are one of each kind, as they are written.
func sampleRecords() [][]byte {
	at := time.Date(2026, 11, 25, 12, 0, 0, 1000, time.UTC)
	ev := Event{ID: "evt_1", Type: "TODO_CREATED", Record: "t1", Committed: at, LSN: 1 << 40, Values: []byte(`"x":1`)}
	full := &Row{Value: []byte("row"), Refs: []Ref{{Index: 3, Parent: "p\x00q"}, {Index: 4}}}
	return [][]byte{
		appendEntry(nil, Entry{Lanes: []uint64{1, 1 << 63}, Attempts: 3, Due: at, Wait: time.Hour, Committed: at, Bytes: 9,
			Replay: true}),
		appendDelivery(nil, Delivery{Status: StatusDead, At: at, Attempts: 13, Code: 503, Reason: "status 503"}),
		encodeEvent(ev, []uint32{1, 1 << 31}),
		appendRow(appendRow(nil, full), nil),
		appendRow(appendRow(nil, nil), &Row{Value: []byte{}}),
	}
}

// FuzzRecord holds of every kind of record that has an encoding of its own, for any bytes: reading does not panic and
// takes no memory that the bytes do not account for; what is refused is ErrDamaged; and what is taken is written and
// read again as the same.
func FuzzRecord(f *testing.F) {
	for _, record := range sampleRecords() {
		f.Add(record)
	}
	f.Fuzz(func(t *testing.T, v []byte) {
		for _, c := range codecs {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			record, err := c.read(v)
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 64<<10+100*uint64(len(v)) {
				t.Errorf("%s: %d bytes of memory for a record of %d", c.name, took, len(v))
			}
			if err != nil {
				if !errors.Is(err, ErrDamaged) {
					t.Errorf("%s: %v is not ErrDamaged", c.name, err)
				}
				continue
			}
			again, err := c.read(c.emit(nil, record))
			if err != nil || !reflect.DeepEqual(again, record) {
				t.Errorf("%s: read %+v, and again %+v (%v)", c.name, record, again, err)
			}
		}
	})
}

// FuzzDelivery holds that whatever is written of an entry, an outcome and an event is read as it was, to the
// microsecond.
func FuzzDelivery(f *testing.F) {
	f.Add("delivered", "", 1, 200, int64(1764072000000000), uint64(1), uint32(1), []byte("body"))
	f.Add("dead", "status 503", 13, 503, int64(0), uint64(1<<63), uint32(1<<31), []byte{})
	f.Fuzz(func(t *testing.T, a, b string, m, n int, us int64, lane uint64, webhook uint32, values []byte) {
		m, n, us = min(max(m, 0), 1<<50), max(n, 0), max(us, 0)
		at := timeOf(uint64(us))
		ev := routedEvent{Event{ID: a, Type: b, Record: a + b, Committed: at, LSN: lane, Values: values}, []uint32{webhook}}
		row := &Row{Value: values, Refs: []Ref{{Index: byte(m), Parent: a}, {Index: byte(n), Parent: b}}}
		for i, record := range []any{
			Entry{Seq: 7, Lanes: []uint64{lane, ^lane}, Attempts: m, Due: at, Wait: time.Duration(m) * time.Microsecond,
				Committed: at, Bytes: us, Replay: n%2 == 0},
			Delivery{Status: a, At: at, Attempts: m, Code: n, Reason: b},
			ev,
			Change{Table: 1, Key: "k", Before: row},
		} {
			if got, err := codecs[i].read(codecs[i].emit(nil, record)); err != nil || !reflect.DeepEqual(got, record) {
				t.Errorf("%s: %+v is read as %+v (%v)", codecs[i].name, record, got, err)
			}
		}
	})
}

// FuzzState puts one record of any key and value into a store and asks for all that a store can tell, before and
// after it is opened anew: nothing panics, and what cannot be read is ErrDamaged, or of a newer format.
func FuzzState(f *testing.F) {
	for _, r := range stateRecords() {
		f.Add(r.key, r.value)
		f.Add(r.key[:len(r.key)-1], r.value)
		f.Add(r.key, r.value[:len(r.value)/2])
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		if len(key) == 0 || key[0] == 0xff {
			t.Skip("no key of ours")
		}
		o := Options{FS: vfs.NewMem(), CacheBytes: 1 << 10}
		s, err := Open("state", o)
		check(t, err)
		apply(t, s, 10, 3, []Change{{Table: 2, Key: "a", After: row("A", "p")}}, "e1")
		check(t, s.db.Set(key, value, pebble.NoSync))
		errs := askAll(s)
		check(t, s.Close())
		if s, err = Open("state", o); err == nil {
			errs = append(errs, askAll(s)...)
			check(t, s.Close())
		}
		for _, err := range append(errs, err) {
			known := errors.Is(err, ErrDamaged) || errors.Is(err, ErrFormat)
			if err != nil && !errors.Is(err, ErrNotFound) && (!known || hint.Of(err) == "") {
				t.Errorf("%v is not ErrDamaged, or has no hint", err)
			}
		}
	})
}

// stateRecords are a key and a value of every space.
func stateRecords() []record {
	samples := sampleRecords()
	four := binary.BigEndian.AppendUint32(nil, 3)
	ref := Ref{Index: 1, Parent: "p"}
	return []record{
		{metaKey(metaFormat), []byte{format}}, {metaKey(metaState), []byte(`{"generation":0,"membership":{"1":2}}`)},
		{metaKey(metaPosition), position(10, 2)},
		{metaKey(metaStaged), []byte(`{"end":20,"next":3,"cursor":1,"scratch":1,"gaps":{"1":{"from":20,"count":1}}}`)},
		{metaKey(metaStaged), []byte(`{"end":20,"next":3,"cursor":1,"scratch":1,"gaps":{"1":{}},"rules":"r"}`)},
		{key32(spaceShape, 1), []byte("shape")}, {numberKey("hook"), four}, {key32(spaceWebhook, 3), []byte("state")},
		{key32(spaceCounts, 3), []byte{1, 2}}, {rowKey(0, 2, "b"), []byte("B")}, {refKey(0, ref, 2, "b"), nil},
		{scratchKey(1, 2, "b"), samples[3]}, {scratchRefKey(1, ref, 2, "b"), nil}, {eventKey(1), samples[2]},
		{key64(spaceQueue, 1, 1), samples[0]}, {keySeq(spaceLane, 1, 5, 1), nil}, {keySeq(spaceDue, 1, 9, 1), nil},
		{key64(spaceMark, 1, 5), nil}, {key64(spaceOutcome, 1, 1), samples[1]}, {key64(spaceResponse, 1, 1), []byte("no")},
		{key64(spaceGap, 1, 5), []byte(`{"from":5,"to":9,"count":3,"events":{"TODO_CREATED":3}}`)},
	}
}

// askAll reads all that there is, and returns what could not be read.
func askAll(s *Store) (errs []error) {
	keep := func(err error) { errs = append(errs, err) }
	_, err := s.Shapes()
	keep(err)
	for _, w := range []uint32{1, 3} {
		_, err = s.Pending(w, 0, 10)
		keep(err)
		_, err = s.Due(w, time.UnixMicro(1<<60), 10)
		keep(err)
		_, _, err = s.NextDue(w)
		keep(err)
		_, _, err = s.Following(w, 5, 0)
		keep(err)
		_, err = s.Heads(w, Entry{Seq: 9, Lanes: []uint64{5}})
		keep(err)
		_, _, err = s.Delivery(w, 1)
		keep(err)
		for _, err := range s.Log(w, 0) {
			keep(err)
		}
	}
	_, err = s.Event(1)
	keep(err)
	keep(s.sweepGaps(epoch))
	for _, g := range s.Gaps(1) {
		g.add(Gap{Count: 1, Events: map[string]uint64{"TODO_CREATED": 1}})
	}
	for _, err := range s.MirrorOf(0).Children(1, "p") {
		keep(err)
	}
	for _, err := range s.MirrorOf(0).Rows(2) {
		keep(err)
	}
	if m, _, err := s.readMark(); err == nil {
		s.SetRules(m.Rules)
	}
	o, tx, err := s.Resume(context.Background())
	if keep(err); err != nil {
		return errs
	}
	tx.miss(1, Event{Type: "TODO_CREATED"})
	for _, err := range o.Children(1, "p") {
		keep(err)
	}
	for _, err := range o.Changes() {
		keep(err)
	}
	return errs
}
