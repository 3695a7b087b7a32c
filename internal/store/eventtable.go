package store

import (
	"context"
	"fmt"

	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
)

const (
	// eventTableBytes is how much of the events of a staged transaction goes into one table.
	eventTableBytes = 32 << 20
	// eventTablePiece is how much is gathered before it is written to the table.
	eventTablePiece = 1 << 20
)

// eventTable writes events past Pebble's log and memtables, as whole tables: events come in the order of their keys,
// and where nothing is yet, so that Pebble puts the tables where they stay and never writes them again.
type eventTable struct {
	store  *Store
	w      *sstable.Writer // nil: no table is begun
	path   string
	piece  []recentEvent // not yet written
	gather int           // bytes of piece
	size   int           // bytes of the table, with piece
	kept   int64         // bytes of the tables before, as they are on disk
}

// add takes the next event, of which it keeps value.
func (t *eventTable) add(seq uint64, value []byte) error {
	t.piece = append(t.piece, recentEvent{seq, value})
	t.gather += len(value)
	t.size += len(value)
	if t.gather < eventTablePiece {
		return nil
	}
	return t.write()
}

func (t *eventTable) write() error {
	err := t.store.call(context.Background(), func() error {
		if t.w == nil {
			var err error
			t.path = t.store.tablePath()
			if t.w, err = t.store.newTable(t.path); err != nil {
				return err
			}
		}
		for _, e := range t.piece {
			if err := t.w.Set(eventKey(e.seq), e.encoded); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	clear(t.piece)
	t.piece, t.gather = t.piece[:0], 0
	return nil
}

// ingest makes the events so far part of the store. They are on disk when it returns.
func (t *eventTable) ingest() error {
	if t.size == 0 {
		return nil
	}
	if err := t.write(); err != nil {
		return err
	}
	t.kept += int64(t.w.Raw().EstimatedSize())
	err := t.store.call(context.Background(), func() error {
		if err := t.w.Close(); err != nil {
			return err
		}
		return t.store.db.Ingest(context.Background(), []string{t.path})
	})
	if err != nil {
		return fmt.Errorf("ingest events: %w", err)
	}
	t.store.written.Add(uint64(t.size))
	t.w, t.size = nil, 0
	return nil
}

// discard gives up a table that was begun.
func (t *eventTable) discard() {
	if t.w != nil {
		_ = t.w.Close() // nothing of it counts
		_ = t.store.opts.FS.Remove(t.path)
	}
	*t = eventTable{store: t.store}
}

// tablePath returns where a table may be written, to be ingested; Open removes what a crash leaves there.
func (s *Store) tablePath() string {
	return s.opts.FS.PathJoin(s.dir, fmt.Sprintf("%d%s", s.files.Add(1), loadSuffix))
}

// newTable begins a table.
func (s *Store) newTable(path string) (*sstable.Writer, error) {
	file, err := s.opts.FS.Create(path, "bluetap-load")
	if err != nil {
		return nil, err
	}
	options := s.pebbleOptions()
	options.EnsureDefaults()
	return sstable.NewWriter(objstorageprovider.NewFileWritable(file),
		options.MakeWriterOptions(0, s.db.TableFormat())), nil
}
