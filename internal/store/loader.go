package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"
)

// loaderBytes is how much a Loader gathers before it writes a table.
const loaderBytes = 16 << 20

// Loader fills a generation that nobody reads yet, past Pebble's log and memtables: it gathers rows, sorts them and
// hands them over as whole tables. Loaders are used by one goroutine each, and several may fill one generation.
type Loader struct {
	store      *Store
	generation uint32
	arena      []byte
	rows       []span
	refs       []span
}

// span is a key and its value in a Loader's arena.
type span struct{ key, value, end int }

// NewLoader returns a Loader for a generation. It must be closed.
func (s *Store) NewLoader(generation uint32) *Loader {
	return &Loader{store: s, generation: generation}
}

// Add adds a row; of several with the same table and key the last one counts, if one Loader got them all. Row is not
// kept. Some calls write a table and so wait for the disk.
func (l *Loader) Add(table uint8, key string, r Row) error {
	size := len(key) + len(r.Value)
	for _, ref := range r.Refs {
		size += len(key) + len(ref.Parent)
	}
	if size >= l.store.maxBatch {
		return fmt.Errorf("load row: %w", ErrTooLarge)
	}
	l.rows = append(l.rows, l.append(rowKey(l.generation, table, key), r.Value))
	for _, ref := range r.Refs {
		l.refs = append(l.refs, l.append(refKey(l.generation, ref, table, key), nil))
	}
	if len(l.arena) < loaderBytes {
		return nil
	}
	return l.flush()
}

// Close loads what is left. All that was added is on disk when it returns nil. After an error of Add or Close the
// generation is incomplete and to be dropped.
func (l *Loader) Close() error { return l.flush() }

func (l *Loader) append(key, value []byte) span {
	at := len(l.arena)
	l.arena = append(append(l.arena, key...), value...)
	return span{key: at, value: at + len(key), end: len(l.arena)}
}

func (l *Loader) key(e span) []byte { return l.arena[e.key:e.value] }

// flush writes rows and references as a table each, as one table of both would span all keys between them.
func (l *Loader) flush() error {
	var paths []string
	for _, entries := range [][]span{l.rows, l.refs} {
		if len(entries) == 0 {
			continue
		}
		path := l.store.tablePath()
		err := l.store.call(context.Background(), func() error { return l.write(path, entries) })
		if err != nil {
			return fmt.Errorf("write table: %w", err)
		}
		paths = append(paths, path)
	}
	if len(paths) == 0 {
		return nil
	}
	err := l.store.call(context.Background(), func() error {
		return l.store.db.Ingest(context.Background(), paths)
	})
	if err != nil {
		return fmt.Errorf("ingest tables: %w", err)
	}
	l.store.written.Add(uint64(len(l.arena)))
	l.arena, l.rows, l.refs = l.arena[:0], l.rows[:0], l.refs[:0]
	return nil
}

func (l *Loader) write(path string, entries []span) error {
	slices.SortStableFunc(entries, func(a, b span) int { return bytes.Compare(l.key(a), l.key(b)) })
	w, err := l.store.newTable(path)
	if err != nil {
		return err
	}
	for i, e := range entries {
		if i+1 < len(entries) && bytes.Equal(l.key(e), l.key(entries[i+1])) {
			continue
		}
		if err := w.Set(l.key(e), l.arena[e.value:e.end]); err != nil {
			_ = w.Close() // the first error is the one that tells
			return err
		}
	}
	return w.Close()
}
