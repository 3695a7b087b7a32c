package store

import (
	"encoding/json"
	"fmt"
	"time"
)

// stagedMark is the record of a transaction that is written in pieces. It comes before the first piece and goes with
// the write that makes all of them visible. Without a scratch range, of a transaction whose changes are in memory
// alone, it says no more than that what lies above the visible bound is to be removed.
type stagedMark struct {
	End        uint64    `json:"end"`
	Committed  time.Time `json:"committed"`
	Cursor     uint64    `json:"cursor"`
	Next       uint64    `json:"next"` // sequence number after the last event added
	Mapped     bool      `json:"mapped"`
	Scratch    uint32    `json:"scratch"`
	Generation uint32    `json:"generation"`
	// Rules are those by which the events up to Cursor were made, see SetRules; "" while others are being dropped, and
	// in marks of before there were any.
	Rules string `json:"rules,omitempty"`
	// Gaps are the events up to Cursor that went to gaps; the gaps themselves are written with the last piece.
	Gaps map[uint32]*Gap `json:"gaps,omitempty"`
}

func (s *Store) readMark() (m stagedMark, ok bool, err error) {
	b, err := s.get(metaKey(metaStaged))
	if err != nil || b == nil {
		return m, false, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, false, damaged(fmt.Errorf("decode staged mark: %w", err))
	}
	for w, g := range m.Gaps {
		if g == nil {
			return m, false, damaged(fmt.Errorf("staged mark: gap of webhook %d: %w", w, errShort))
		}
		if g.Events == nil {
			g.Events = map[string]uint64{}
		}
	}
	return m, true, nil
}

// stage makes the mark of a transaction whose changes lie on disk, having moved the rest there.
func (t *Tx) stage() error {
	if err := t.overlay.spill(); err != nil {
		return err
	}
	t.mark = &stagedMark{
		End: t.end, Committed: t.committed, Scratch: t.overlay.scratch, Generation: t.overlay.base.generation,
		Rules: t.store.rules,
	}
	t.overlay.kept = true
	t.overlay.base.cursors = &cursors{open: map[string]*cursor{}}
	t.setMark()
	return t.flushSync()
}

func (t *Tx) setMark() {
	t.store.staged.Store(true)
	t.mark.Cursor, t.mark.Next, t.mark.Gaps = max(t.added, t.skip), t.next, t.gaps
	t.batch.setStaged(*t.mark)
}

func (b *batch) setStaged(m stagedMark) {
	v, err := json.Marshal(m)
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("encode staged mark: %w", err)
	}
	b.set(metaKey(metaStaged), v)
}

// append writes the events so far, and then their entries together with how many they are.
func (t *Tx) append() error {
	if err := t.events.ingest(); err != nil {
		return err
	}
	t.setMark()
	if err := t.store.commit(t.batch, nil, nil); err != nil {
		return err
	}
	t.kept.Disk += compressed(t.batch.Len())
	t.batch.Reset()
	t.recent = nil
	return nil
}

func (t *Tx) flushSync() error {
	if err := t.store.commitSync(t.batch); err != nil {
		return err
	}
	t.batch.Reset()
	return nil
}

// applyStaged writes the rows of a staged transaction, in pieces; a crash between them repeats all of them. What is
// left in the batch is to remove the scratch range.
func (t *Tx) applyStaged() error {
	if !t.mark.Mapped {
		if err := t.events.ingest(); err != nil {
			return err
		}
		t.mark.Mapped = true
		t.setMark()
		if err := t.flushSync(); err != nil {
			return err
		}
	}
	rows := 0
	for c, err := range t.overlay.Changes() {
		if err != nil {
			return err
		}
		t.batch.write(t.mark.Generation, c)
		if rows++; t.batch.Len() < t.store.chunk {
			continue
		}
		if err := t.store.commit(t.batch, nil, nil); err != nil {
			return err
		}
		t.batch.Reset()
		if err := t.written(rows); err != nil {
			return err
		}
		rows = 0
	}
	if err := t.written(rows); err != nil {
		return err
	}
	t.batch.removeScratch(t.mark.Scratch)
	return nil
}

func (t *Tx) written(rows int) error {
	if t.onWritten == nil {
		return nil
	}
	return t.onWritten(rows)
}
