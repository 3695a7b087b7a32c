package capture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

// Sink takes the rows that one worker of Copy reads.
type Sink interface {
	// Row takes a row of t, its values in the order of t.Columns and valid until Row returns.
	Row(t *Table, values []Value) error
	// Close is called once, when the worker is done or has failed.
	Close() error
}

const (
	progressReport = 5 * time.Second
	pieceBlocks    = 8192 // of a table that is read in pieces: 64 MiB with blocks of the usual size
)

// errSnapshotGone means that the connection that exported the snapshot was lost, and the snapshot with it.
var errSnapshotGone = errors.New("the exported snapshot is gone")

// piece is a part of a table that one COPY reads.
type piece struct {
	table *Table
	where string // "" for the whole table
	bytes int64
}

// progress is what the workers of one Copy have done.
type progress struct {
	rows, bytes, pieces atomic.Int64
	expected            int64 // rows, by the planner's estimate
	total               int   // pieces
}

// Copy reads tables as they were at ConsistentPoint over workers connections, each with a sink of its own. Of a table
// only the columns in Columns are read. Large tables are read first and in pieces, so that workers share them; how far
// it has come is logged every few seconds. The rows of a table come in no order. tables are among those that
// CreateSnapshot got; one that was rewritten since, by TRUNCATE for instance, gives an error that is Retryable with a
// new snapshot.
func (s *Snapshot) Copy(ctx context.Context, tables []Table, workers int, newSink func() (Sink, error)) error {
	lock, err := s.join(ctx)
	if err != nil {
		return err
	}
	defer closeConn(lock)
	pieces, err := cut(ctx, lock, tables)
	if err == nil {
		err = s.checkFiles(ctx, lock, tables)
	}
	if err != nil {
		return explain(err)
	}
	p := progress{total: len(pieces)}
	for i := range tables {
		p.expected += tables[i].Rows
	}
	began := time.Now()
	if err := s.copyPieces(ctx, pieces, max(1, min(workers, len(pieces))), newSink, &p); err != nil {
		return explain(err)
	}
	s.cfg.Log.Info("snapshot copied", "tables", len(tables), "rows", p.rows.Load(), "bytes", p.bytes.Load(),
		"took", time.Since(began).Round(time.Millisecond).String())
	return nil
}

func (s *Snapshot) copyPieces(ctx context.Context, pieces []piece, workers int, newSink func() (Sink, error),
	p *progress) error {
	work := make(chan piece, len(pieces))
	for _, pc := range pieces {
		work <- pc
	}
	close(work)
	reporting, stop := context.WithCancel(ctx)
	reported := make(chan struct{})
	go func() {
		defer close(reported)
		s.report(reporting, p)
	}()
	defer func() { stop(); <-reported }()
	group, ctx := errgroup.WithContext(ctx)
	for range workers {
		group.Go(func() error { return s.work(ctx, work, newSink, p) })
	}
	return group.Wait()
}

// report logs how far the copy is, until ctx ends.
func (s *Snapshot) report(ctx context.Context, p *progress) {
	ticker := time.NewTicker(progressReport)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		rows := p.rows.Load()
		s.cfg.Log.Info("copying snapshot", "rows", rows, "percent", min(99, 100*rows/max(1, p.expected)),
			"bytes", p.bytes.Load(), "pieces", p.pieces.Load(), "of", p.total)
	}
}

// work copies pieces until there is none left.
func (s *Snapshot) work(ctx context.Context, pieces <-chan piece, newSink func() (Sink, error),
	p *progress) (err error) {
	conn, err := s.join(ctx)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	sink, err := newSink()
	if err != nil {
		return fmt.Errorf("open sink: %w", err)
	}
	defer func() { err = errors.Join(err, sink.Close()) }()
	for pc := range pieces {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := copyPiece(ctx, conn, pc, sink, p); err != nil {
			return fmt.Errorf("copy table %s: %w", pc.table.sql(), err)
		}
		p.pieces.Add(1)
	}
	return nil
}

func copyPiece(ctx context.Context, conn *pgconn.PgConn, pc piece, sink Sink, p *progress) error {
	parser := newCopyParser(len(pc.table.Columns), func(values []Value) error {
		p.rows.Add(1)
		return sink.Row(pc.table, values)
	})
	_, err := conn.CopyTo(ctx, countingWriter{parser, &p.bytes}, pc.sql())
	return ended(ctx, err)
}

// countingWriter counts what passes.
type countingWriter struct {
	next *copyParser
	n    *atomic.Int64
}

func (w countingWriter) Write(b []byte) (int, error) {
	w.n.Add(int64(len(b)))
	return w.next.Write(b)
}

// sql returns the piece's COPY. Generated columns are not among Columns, and ONLY keeps the children of inheritance
// out.
func (pc *piece) sql() string {
	return "COPY (SELECT " + pc.table.columnList() + " FROM " + pc.table.only() + pc.where + ") TO STDOUT"
}

// only is the table as FROM and LOCK name it.
func (t *Table) only() string {
	if t.Partitioned {
		return t.sql()
	}
	return "ONLY " + t.sql()
}

// join opens a connection that sees the snapshot.
func (s *Snapshot) join(ctx context.Context) (*pgconn.PgConn, error) {
	conn, err := connect(ctx, s.cfg)
	if err != nil {
		return nil, explain(err)
	}
	_, err = query(ctx, conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT "+
		quoteLiteral(s.Name))
	if sqlState(err) == stateInvalidParameter {
		err = fmt.Errorf("%w: %w", errSnapshotGone, err)
	}
	if err != nil {
		closeConn(conn)
		return nil, explain(fmt.Errorf("join snapshot: %w", err))
	}
	return conn, nil
}

// cut locks the tables against being rewritten, which would move rows from one piece to another, and cuts them into
// pieces, large ones first. The lock lasts as long as conn's transaction and stops no reader and no writer. It is taken
// by reading nothing: LOCK TABLE would need a right to the whole table, and so would the ctid that a piece is cut by.
func cut(ctx context.Context, conn *pgconn.PgConn, tables []Table) ([]piece, error) {
	var pieces []piece
	for i := range tables {
		t := &tables[i]
		if len(t.Columns) == 0 {
			continue
		}
		name := quoteLiteral(t.sql()) + "::regclass"
		rows, err := query(ctx, conn, "SELECT FROM "+t.only()+" LIMIT 0; SELECT pg_catalog.pg_relation_size("+name+"), "+
			"pg_catalog.current_setting('block_size')::int8, pg_catalog.has_table_privilege("+name+", 'SELECT')")
		if err != nil {
			return nil, fmt.Errorf("lock table %s: %w", t.sql(), err)
		}
		pieces = append(pieces, t.pieces(rows[0].int(0), rows[0].int(1), rows[0].bool(2))...)
	}
	slices.SortStableFunc(pieces, func(a, b piece) int { return cmp.Compare(b.bytes, a.bytes) })
	return pieces, nil
}

// pieces cuts a table of size bytes by block numbers. The last piece has no end. A partitioned table is one piece, and
// so is one of which only some columns may be read.
func (t *Table) pieces(size, blockSize int64, readable bool) []piece {
	blocks := size / max(1, blockSize)
	if t.Partitioned || !readable || blocks <= pieceBlocks {
		return []piece{{table: t, bytes: max(size, t.Bytes)}}
	}
	var pieces []piece
	for from := int64(0); from < blocks; from += pieceBlocks {
		where := fmt.Sprintf(" WHERE ctid >= '(%d,0)'", from)
		if from+pieceBlocks < blocks {
			where += fmt.Sprintf(" AND ctid < '(%d,0)'", from+pieceBlocks)
		}
		pieces = append(pieces, piece{table: t, where: where, bytes: pieceBlocks * blockSize})
	}
	return pieces
}
