//go:build unix

package soak

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync/atomic"
	"text/tabwriter"
)

// Coverage is what was done to the tables: without it 0 violations mean nothing.
type Coverage struct {
	Tables map[string]TableCoverage // as the audit has them

	// As the clients were told; COPYs and savepoints in transactions that were prepared are not counted.
	Copies, CopiedRows, CopiesAmongOthers int
	Savepoints                            int // that were rolled back to, in transactions that committed
	Prepared                              int // transactions that a second phase committed
}

// TableCoverage counts changes of a table that were committed.
type TableCoverage struct {
	Inserts, Updates, Deletes, KeyChanges, Truncates int
}

func newCoverage() Coverage { return Coverage{Tables: map[string]TableCoverage{}} }

// take counts a transaction's changes.
func (c Coverage) take(tx *commit) {
	for _, ch := range tx.changes {
		t := c.Tables[ch.table]
		switch {
		case ch.op == 'I':
			t.Inserts++
		case ch.op == 'D':
			t.Deletes++
		case ch.op == 'T':
			t.Truncates++
		case ch.old.id() != ch.new.id():
			t.KeyChanges++
		default:
			t.Updates++
		}
		c.Tables[ch.table] = t
	}
}

// tally is what clients count together.
type tally struct {
	copies, copiedRows, copiesAmongOthers, savepoints, prepared atomic.Int64
}

// with returns a copy that has what the clients counted.
func (c Coverage) with(t *tally) Coverage {
	return Coverage{Tables: maps.Clone(c.Tables), Copies: int(t.copies.Load()), CopiedRows: int(t.copiedRows.Load()),
		CopiesAmongOthers: int(t.copiesAmongOthers.Load()), Savepoints: int(t.savepoints.Load()),
		Prepared: int(t.prepared.Load())}
}

// Print prints the tables and what was done to them.
func (c Coverage) Print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "inserted\tupdated\tdeleted\tkeys changed\ttruncated\t\ttable\t")
	for _, name := range slices.Sorted(maps.Keys(c.Tables)) {
		t := c.Tables[name]
		fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t\t%s\t\n", t.Inserts, t.Updates, t.Deletes, t.KeyChanges, t.Truncates, name)
	}
	_ = w.Flush()
	fmt.Fprintf(out, "%d COPYs of %d rows, %d of them beside other statements; %d savepoints rolled back to; %d prepared "+
		"transactions committed\n", c.Copies, c.CopiedRows, c.CopiesAmongOthers, c.Savepoints, c.Prepared)
}
