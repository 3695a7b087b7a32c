//go:build unix

package soak

import (
	"bytes"
	"context"
	_ "embed" // audit.sql
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed audit.sql
var auditSQL string

// row is a row as the audit has it: column name to string, json.Number, bool, document or nil.
type row map[string]any

// id returns the row's key.
func (r row) id() string { return r.text("id") }

// text returns a column of a text type, "" for NULL.
func (r row) text(column string) string {
	s, _ := r[column].(string)
	return s
}

// change is one line of the audit.
type change struct {
	table    string
	op       byte // I, U, D or T
	old, new row
}

// commit is one committed transaction, as the audit tells it.
type commit struct {
	start, end uint64 // of the commit record in the log; end is what tells transactions apart
	at         time.Time
	changes    []change
	size       int // bytes of its lines
}

// truth reads the audit in commit order. The order is Postgres' own: it comes from logical decoding of the audit table
// alone, and not from the order in which triggers ran.
type truth struct {
	last    uint64 // end of the last commit that was read
	current *commit
}

// read returns what has been committed since the last read, oldest first. A crash of the server may set a slot back, so
// what was read before is skipped.
func (t *truth) read(ctx context.Context, conn *pgx.Conn) ([]*commit, error) {
	rows, err := conn.Query(ctx, `SELECT data FROM pg_logical_slot_get_binary_changes('soak_audit',
		pg_current_wal_flush_lsn(), NULL, 'proto_version', '1', 'publication_names', 'soak_audit')`)
	if err != nil {
		return nil, fmt.Errorf("read audit: %w", err)
	}
	defer rows.Close()
	var commits []*commit
	for rows.Next() {
		var message []byte
		if err := rows.Scan(&message); err != nil {
			return nil, fmt.Errorf("read audit: %w", err)
		}
		done, err := t.message(message)
		if err != nil {
			return nil, fmt.Errorf("read audit: %w", err)
		}
		if done != nil && done.end > t.last {
			t.last = done.end
			commits = append(commits, done)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read audit: %w", err)
	}
	return commits, nil
}

// epoch is where Postgres' clock begins.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// message takes one message of pgoutput, and returns the transaction that it ends.
func (t *truth) message(m []byte) (*commit, error) {
	switch m[0] {
	case 'B':
		t.current = &commit{}
	case 'C': // flags, commit record, its end, time
		done := t.current
		done.start, done.end = binary.BigEndian.Uint64(m[2:]), binary.BigEndian.Uint64(m[10:])
		done.at = epoch.Add(time.Duration(int64(binary.BigEndian.Uint64(m[18:]))) * time.Microsecond)
		t.current = nil
		return done, nil
	case 'I': // relation, 'N', tuple
		c, err := readChange(m[6:])
		if err != nil {
			return nil, err
		}
		t.current.changes = append(t.current.changes, c)
		t.current.size += len(m)
	}
	return nil, nil
}

// readChange reads a tuple of the audit table.
func readChange(m []byte) (change, error) {
	columns := make([][]byte, binary.BigEndian.Uint16(m))
	m = m[2:]
	for i := range columns {
		kind := m[0]
		m = m[1:]
		if kind != 't' {
			continue
		}
		n := binary.BigEndian.Uint32(m)
		columns[i], m = m[4:4+n], m[4+n:]
	}
	if len(columns) != 5 {
		return change{}, fmt.Errorf("a line of %d columns", len(columns))
	}
	c := change{table: string(columns[1]), op: columns[2][0]}
	var err error
	if c.old, err = readRow(columns[3]); err != nil {
		return change{}, err
	}
	c.new, err = readRow(columns[4])
	return c, err
}

func readRow(document []byte) (row, error) {
	if document == nil {
		return nil, nil
	}
	var r row
	if err := decode(document, &r); err != nil {
		return nil, err
	}
	if r.id() == "" {
		return nil, errors.New("a row without an id")
	}
	return r, nil
}

// decode reads JSON and keeps numbers as they are written.
func decode(document []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	return d.Decode(to)
}
