package capture

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// Membership returns, by table OID, the OID of the entry (pg_publication_rel) by which cfg.Publication names each of
// tables. It is empty, and not nil, where the publication holds them all without naming them. A table that is taken
// out and put back gets another entry: what changed in between never came by the stream. A publication that is
// missing or lacks a table is a *PublicationError.
func Membership(ctx context.Context, cfg Config, tables []Table) (map[uint32]uint32, error) {
	conn, cfg, err := connectPrimary(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer closeConn(conn)
	return checkPublication(ctx, conn, cfg, tables, asItIs)
}

// CheckMembership compares what Membership says now with what it said when the state was begun; a nil known is not
// compared. It returns a *GapError if a table was put into the publication anew, a *PublicationError if the
// publication will not do any more, or what else kept it from looking, which may be Retryable.
func CheckMembership(ctx context.Context, cfg Config, tables []Table, known map[uint32]uint32) error {
	now, err := Membership(ctx, cfg, tables)
	if err != nil {
		return err
	}
	return compareMembership(cfg.Slot, tables, known, now, 0)
}

// compareMembership returns a *GapError for the first table that does not have the entry it had. ours is the stored
// position, or 0.
func compareMembership(slot string, tables []Table, known, now map[uint32]uint32, ours LSN) error {
	if known == nil {
		return nil
	}
	for i := range tables {
		if t := &tables[i]; known[t.OID] != now[t.OID] {
			return gap(slot, "table "+t.sql()+" was taken out of the publication and put back, "+
				"or is in it in another way now: changes may be missing", ours, 0)
		}
	}
	return nil
}

// listSQL gives the names of a column list as a JSON array, NULL without one, and whether the list makes the
// application's UPDATEs and DELETEs fail: that of the table, or of one of its partitions, whose replica identity has
// more columns than the list (Postgres manual, "Column Lists").
const listSQL = `(SELECT pg_catalog.json_agg(a.attname) FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum = ANY (r.prattrs::int2[])),
  r.prattrs IS NOT NULL AND EXISTS (
    SELECT FROM (SELECT c.oid UNION SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t) AS x(oid)
    WHERE EXISTS (SELECT FROM pg_catalog.pg_class l
        WHERE l.oid = x.oid AND l.relkind = 'r' AND l.relreplident = 'f')
      OR EXISTS (SELECT FROM pg_catalog.pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) k
          JOIN pg_catalog.pg_attribute b ON b.attrelid = i.indrelid AND b.attnum = k
        WHERE i.indexrelid = pg_catalog.pg_get_replica_identity_index(x.oid) AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (r.prattrs::int2[])
            AND a.attname = b.attname)))`

// membersSQL asks for the row filter and the column list only where the server has them.
const membersSQL = `
SELECT c.oid, n.nspname, c.relname, COALESCE(r.oid, 0), EXISTS (SELECT FROM pg_catalog.pg_publication_tables t
    WHERE t.pubname = p.pubname AND t.schemaname = n.nspname AND t.tablename = c.relname), %s
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_catalog.pg_publication p ON p.pubname = %s
     LEFT JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = c.oid
WHERE c.oid = ANY (%s)`

// member is a table as the server has it now.
type member struct {
	schema, name string
	entry        uint32 // in pg_publication_rel, or 0
	published    bool
	filtered     bool     // it has a row filter
	columns      []string // of its column list; nil: it has none
	harmful      bool     // the list makes the application's UPDATEs and DELETEs fail
}

// readMembers returns by OID those of tables that still exist, published or not.
func readMembers(ctx context.Context, conn *pgconn.PgConn, publication string, tables []Table) (map[uint32]member,
	error) {
	limits := "r.prqual IS NOT NULL, " + listSQL
	if !hasLists(conn) {
		limits = "false, NULL, false"
	}
	rows, err := query(ctx, conn, fmt.Sprintf(membersSQL, limits, quoteLiteral(publication), oids(tables)))
	if err != nil {
		return nil, fmt.Errorf("read tables of publication %s: %w", publication, err)
	}
	members := make(map[uint32]member, len(rows))
	for _, r := range rows {
		m := member{schema: r.text(1), name: r.text(2), entry: r.oid(3), published: r.bool(4), filtered: r.bool(5),
			harmful: r.bool(7)}
		if r[6] != nil {
			if err := json.Unmarshal(r[6], &m.columns); err != nil {
				return nil, fmt.Errorf("read column list of %s: %w", m.name, err)
			}
		}
		members[r.oid(0)] = m
	}
	return members, nil
}
