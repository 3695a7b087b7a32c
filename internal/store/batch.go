package store

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"
)

// batch collects writes; the first error sticks and is returned by commit.
type batch struct {
	*pebble.Batch
	max int
	err error
}

func (s *Store) newBatch() *batch { return &batch{Batch: s.db.NewBatch(), max: s.maxBatch} }

// release gives a batch back. After a failure it does not: a goroutine of Pebble may still hold the batch.
func (s *Store) release(b *batch) {
	if s.fault.get() == nil {
		_ = b.Close() // fails only for a batch that was closed before
	}
}

// recordOverhead bounds what Pebble adds to a key and a value in a batch.
const recordOverhead = 16

func (b *batch) set(key, value []byte) {
	if b.err == nil && b.Len()+len(key)+len(value)+recordOverhead >= b.max {
		b.err = ErrTooLarge
	}
	if b.err == nil {
		b.err = b.Set(key, value, nil)
	}
}

func (b *batch) remove(key []byte) {
	if b.err == nil {
		b.err = b.Delete(key, nil)
	}
}

func (b *batch) removeRange(from, to []byte) {
	if b.err == nil {
		b.err = b.DeleteRange(from, to, nil)
	}
}

// update makes a batch of what is stored now and commits it without waiting for the disk. Updates run one after the
// other, so that fill sees everything before it; done, which may be nil, runs after the commit and before the next.
func (s *Store) update(fill func(*batch) error, done func()) error {
	b := s.newBatch()
	defer s.release(b)
	return s.commit(b, fill, done)
}

// commit is update with a batch that has been filled, in part or entirely, before. It leaves the batch to the caller.
func (s *Store) commit(b *batch, fill func(*batch) error, done func()) error {
	select {
	case s.writer <- struct{}{}:
	case <-s.fault.done:
		return s.fault.get()
	}
	defer func() { <-s.writer }()
	if err := s.fault.get(); err != nil {
		return err
	}
	if fill != nil {
		if err := fill(b); err != nil {
			return err
		}
	}
	if b.err != nil {
		return b.err
	}
	if !b.Empty() {
		if err := s.call(context.Background(), func() error { return b.Commit(pebble.NoSync) }); err != nil {
			return err
		}
		s.written.Add(uint64(b.Len()))
		s.sync.wrote()
	}
	if done != nil {
		done()
	}
	return nil
}

// commitSync commits a filled batch and waits until it, and all that was applied before, is on disk.
func (s *Store) commitSync(b *batch) error {
	if b.err != nil {
		return b.err
	}
	mark := s.mark()
	if err := s.call(context.Background(), func() error { return b.Commit(pebble.Sync) }); err != nil {
		return err
	}
	s.written.Add(uint64(b.Len()))
	s.sync.reached(mark)
	return nil
}

// putSync writes one record and waits until it is on disk.
func (s *Store) putSync(key, value []byte) error {
	b := s.newBatch()
	defer s.release(b)
	b.set(key, value)
	return s.commitSync(b)
}

// get returns a copy of the value of key, or nil if there is none; an empty value is not nil.
func (s *Store) get(key []byte) ([]byte, error) {
	if err := s.fault.get(); err != nil {
		return nil, err
	}
	v, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, s.unread(fmt.Errorf("read: %w", err))
	}
	out := make([]byte, len(v))
	copy(out, v)
	return out, closer.Close()
}

func (s *Store) has(key []byte) (bool, error) {
	v, err := s.get(key)
	return v != nil, err
}

// record is a key and its value, both valid until the scan's next step.
type record struct{ key, value []byte }

// scan yields the records from the first key on, up to and without the second, as they were when it began. A key that
// is too short for its space ends it with an error.
func (s *Store) scan(from, to []byte) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		if err := s.fault.get(); err != nil {
			yield(record{}, err)
			return
		}
		it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
		if err != nil {
			yield(record{}, s.unread(fmt.Errorf("scan: %w", err)))
			return
		}
		defer it.Close()
		for ok := it.First(); ok; ok = it.Next() {
			v, err := it.ValueAndErr()
			if err != nil {
				yield(record{}, s.unread(fmt.Errorf("scan: %w", err)))
				return
			}
			key := it.Key()
			if len(key) < shortest[key[0]] {
				yield(record{}, damaged(fmt.Errorf("key: %w", errShort)))
				return
			}
			if !yield(record{key, v}, nil) {
				return
			}
		}
		if err := it.Error(); err != nil {
			yield(record{}, s.unread(fmt.Errorf("scan: %w", err)))
		}
	}
}

// unread returns what is to be said of an error of reading: the failure of the store that it is part of, if it is known
// by then, else what it means for the state.
func (s *Store) unread(err error) error {
	if fault := s.fault.get(); fault != nil {
		return fault
	}
	return judge(err)
}

// first returns the first key of a range, or nil if it is empty.
func (s *Store) first(from, to []byte) ([]byte, error) {
	for r, err := range s.scan(from, to) {
		return append([]byte(nil), r.key...), err
	}
	return nil, nil
}
