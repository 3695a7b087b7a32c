// Package capture reads Postgres' logical replication stream and hands out whole committed transactions.
//
// It owns the replication connection, the publication, the slot and the first snapshot, and knows nothing of
// Blue, of HTTP or of how a transaction is stored. What it hands out is the vocabulary below: a Transaction of
// Changes, each with the Relation it touched and the column values exactly as Postgres wrote them as text.
//
// One rule spans capture and its caller: confirmed ≤ stored (fsynced) ≤ applied ≤ received. Stream hands out what
// was received; Stream.Confirm takes what is stored, and only that is ever told to Postgres.
package capture

import (
	"iter"
	"time"

	"github.com/jackc/pglogrepl"
)

// LSN is a position in Postgres' write-ahead log, printed as 16/B374D848. Positions are compared, never added to:
// only a commit's end and a keepalive's walEnd are positions that may be confirmed (Postgres manual, "Streaming
// Replication Protocol").
type LSN = pglogrepl.LSN

// State says which of the three things a column value of the stream is.
type State uint8

// The states of a column value.
const (
	Null      State = iota // SQL NULL
	Unchanged              // a TOASTed value that this UPDATE did not touch; the stream does not carry it
	Text                   // a value in Postgres' text format
)

// Value is one column's value.
type Value struct {
	State State
	Text  []byte // set only when State is Text; owned by the Transaction, valid until its Close
}

// Type is a column's type with domains resolved to what they are built on.
type Type struct {
	OID  uint32 // the base type; for an array the array type itself
	Elem uint32 // for an array its element's base type, else 0; never an array itself
	// Inner is how many arrays lie within each other in an element: more than 0 for an array of a domain over an array.
	Inner uint8 `json:",omitempty"`
	// Delimiter is what separates an array's elements (pg_type.typdelim), if it is not a comma, else 0.
	Delimiter byte `json:",omitempty"`
}

// Column is a column of a Relation.
type Column struct {
	Name string
	Type Type
	Key  bool // part of the replica identity
}

// Relation is a table's shape as the stream described it before the changes that follow. Relations are never
// modified: a changed table is a new Relation, so comparing pointers tells whether the shape is still the same.
type Relation struct {
	OID     uint32
	Schema  string
	Name    string
	Columns []Column

	unwanted []bool // by column; nil: all values are kept
}

// Op is what a Change did.
type Op uint8

// The operations of a Change.
const (
	Insert Op = iota
	Update
	Delete
	Truncate // every row of the Relation; Old and New are nil
)

// Change is one row operation.
type Change struct {
	Op       Op
	Relation *Relation
	// Old holds the old row as far as the stream carries it, in the order of Relation.Columns: all columns under
	// REPLICA IDENTITY FULL, else only the key columns (the others are Null and mean nothing). It is nil for an
	// INSERT, and for an UPDATE that left the key alone.
	Old []Value
	New []Value // nil for DELETE and TRUNCATE
}

// Transaction is one committed transaction, or, with Idle set, merely the news that everything up to End has been
// received and holds nothing for us.
type Transaction struct {
	Idle bool
	XID  uint32
	End  LSN       // end of the commit record: the position that is stored and confirmed
	Time time.Time // commit time, UTC, microseconds; zero when Idle
	Size int64     // bytes of the changes as received
	Rows int       // how many changes there are

	changes changeLog
}

// Changes yields the changes in the order of the log. It may be called more than once. An error ends the
// iteration; it means that changes that had been spilled to disk could not be read back.
func (t *Transaction) Changes() iter.Seq2[Change, error] { return t.changes.all() }

// Close releases what the transaction holds in memory and on disk.
func (t *Transaction) Close() error { return t.changes.close() }
