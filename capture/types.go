package capture

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

// typeEntry is what the catalogue says of one type.
type typeEntry struct {
	base      uint32 // of a domain what it is built on, else 0
	elem      uint32 // of an array its element, else 0
	delimiter byte   // between the elements of its arrays
}

// typeCache resolves type OIDs. A type never changes what it is built on, so entries are never stale; an OID that is
// not there makes the whole catalogue be read again.
type typeCache struct {
	mu      sync.Mutex
	entries map[uint32]typeEntry
}

// An array is what another type names as its array type: int2vector has elements too, but is written otherwise.
const typesSQL = `
SELECT t.oid, t.typbasetype, COALESCE(e.oid, 0), t.typdelim
FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid`

// load reads every type of conn's database.
func (c *typeCache) load(ctx context.Context, conn *pgconn.PgConn) error {
	rows, err := query(ctx, conn, typesSQL)
	if err != nil {
		return fmt.Errorf("read types: %w", err)
	}
	entries := make(map[uint32]typeEntry, len(rows))
	for _, r := range rows {
		entries[r.oid(0)] = typeEntry{base: r.oid(1), elem: r.oid(2), delimiter: ','}
		if len(r[3]) > 0 {
			e := entries[r.oid(0)]
			e.delimiter = r[3][0]
			entries[r.oid(0)] = e
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries = entries
	return nil
}

// resolve returns oid's Type; ok is false if the catalogue, as last read, does not have it.
func (c *typeCache) resolve(oid uint32) (t Type, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.entries[oid]; !ok {
		return Type{OID: oid}, false
	}
	t = Type{OID: c.baseOf(oid)}
	elem := c.entries[t.OID].elem
	if elem == 0 {
		return t, true
	}
	t.Elem = c.baseOf(elem)
	for elem = c.entries[t.Elem].elem; elem != 0; elem = c.entries[t.Elem].elem {
		t.Elem = c.baseOf(elem)
		t.Inner++
	}
	if delimiter := c.entries[t.Elem].delimiter; delimiter != ',' {
		t.Delimiter = delimiter
	}
	return t, true
}

func (c *typeCache) baseOf(oid uint32) uint32 {
	for e := c.entries[oid]; e.base != 0; e = c.entries[oid] {
		oid = e.base
	}
	return oid
}

// oid returns column i as an OID; the server writes it, so what is no number is 0.
func (r row) oid(i int) uint32 {
	n, err := strconv.ParseUint(string(r[i]), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}
