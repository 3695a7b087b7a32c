package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/hint"
)

// The values of Table.Identity (pg_class.relreplident).
const (
	IdentityDefault byte = 'd' // the primary key
	IdentityIndex   byte = 'i' // a unique index named by ALTER TABLE … REPLICA IDENTITY USING INDEX
	IdentityFull    byte = 'f' // the whole old row
	IdentityNothing byte = 'n' // nothing
)

// Table is a table as the catalogue describes it.
type Table struct {
	OID         uint32
	Schema      string
	Name        string
	Partitioned bool
	// Columns are those that pgoutput publishes, in table order: generated ones are left out.
	Columns []Column
	// Partial means that the table has columns that are not wanted and not in Columns. Closed means that none that it
	// gets later is wanted either. Tables leaves both false.
	Partial, Closed bool
	// Generated names the generated columns, which cannot be had.
	Generated []string
	// Key names the columns of the replica identity index, in index order; with IdentityFull those of the primary
	// key. Empty if there is none.
	Key []string
	// Identity is one of IdentityDefault, IdentityIndex, IdentityFull and IdentityNothing.
	Identity byte
	// Unpublishable says why the table must not be published, or is "", and Mend what mends that. Publishing it all the
	// same would make the application's own UPDATEs and DELETEs fail.
	Unpublishable, Mend string
	// Rows and Bytes are the planner's estimate of the rows (0 if it never looked) and the size on disk.
	Rows, Bytes int64
}

// sql returns the table's qualified and quoted name.
func (t *Table) sql() string { return quoteIdent(t.Schema) + "." + quoteIdent(t.Name) }

// Identity is what tells one source database from another.
type Identity struct {
	SystemID      string // the cluster's system identifier
	DatabaseOID   uint32
	Database      string
	Timeline      uint32
	FlushLSN      LSN // how far the server's log was flushed when it was asked
	ServerVersion int // server_version_num, e.g. 150006
}

// With partitions the root's identity is what the stream carries, and each leaf's own is what decides whether the
// application's UPDATE fails.
const tablesSQL = `
SELECT c.oid, c.relname, c.relkind = 'p', c.relreplident, c.relpersistence <> 'p',
       COALESCE(pg_catalog.pg_get_replica_identity_index(c.oid)::oid,
         CASE WHEN c.relreplident = 'f' THEN (SELECT i.indexrelid FROM pg_catalog.pg_index i
           WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate AND i.indisvalid) END, 0),
       (SELECT count(*) FROM pg_catalog.pg_partition_tree(c.oid) p JOIN pg_catalog.pg_class l ON l.oid = p.relid
         WHERE p.isleaf AND c.relkind = 'p' AND (l.relreplident <> c.relreplident OR
           l.relpersistence <> 'p' OR
           l.relreplident <> 'f' AND pg_catalog.pg_get_replica_identity_index(l.oid) IS NULL)),
       CASE c.relkind WHEN 'r' THEN GREATEST(c.reltuples, 0)::int8 ELSE
         (SELECT COALESCE(sum(GREATEST(l.reltuples, 0)), 0)::int8
           FROM pg_catalog.pg_partition_tree(c.oid) p JOIN pg_catalog.pg_class l ON l.oid = p.relid WHERE p.isleaf) END,
       CASE c.relkind WHEN 'r' THEN COALESCE(pg_catalog.pg_relation_size(c.oid), 0) ELSE
         (SELECT COALESCE(sum(pg_catalog.pg_relation_size(p.relid)), 0)::int8
           FROM pg_catalog.pg_partition_tree(c.oid) p WHERE p.isleaf) END,
       (SELECT pg_catalog.format('DROP CONSTRAINT %%I, ADD PRIMARY KEY (%%s)', o.conname,
           pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY k.n))
         FROM pg_catalog.pg_constraint o CROSS JOIN LATERAL unnest(o.conkey) WITH ORDINALITY AS k(attnum, n)
              JOIN pg_catalog.pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.attnum
         WHERE o.conrelid = c.oid AND o.contype = 'p' AND o.condeferrable GROUP BY o.conname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname`

const columnsSQL = `
SELECT a.attrelid, a.attname, a.atttypid, a.attgenerated <> ''
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum`

const keysSQL = `
SELECT i.indexrelid, a.attname
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
     JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND k.n <= i.indnkeyatts
ORDER BY i.indexrelid, k.n`

// Tables lists the ordinary and partitioned tables of cfg.Schema by name; partitions themselves are left out.
func Tables(ctx context.Context, cfg Config) ([]Table, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	conn, err := connect(ctx, cfg)
	if err != nil {
		return nil, explain(err)
	}
	defer closeConn(conn)
	tables, err := readTables(ctx, conn, cfg.Schema)
	if err != nil {
		return nil, fmt.Errorf("read tables of schema %s: %w", cfg.Schema, err)
	}
	return tables, nil
}

func readTables(ctx context.Context, conn *pgconn.PgConn, schema string) ([]Table, error) {
	var types typeCache
	if err := types.load(ctx, conn); err != nil {
		return nil, err
	}
	rows, err := query(ctx, conn, fmt.Sprintf(tablesSQL, quoteLiteral(schema)))
	if err != nil {
		return nil, err
	}
	columns, err := grouped(ctx, conn, columnsSQL, schema)
	if err != nil {
		return nil, err
	}
	keys, err := grouped(ctx, conn, keysSQL, schema)
	if err != nil {
		return nil, err
	}
	version, _ := strconv.Atoi(major(conn))
	if len(rows) == 0 {
		return nil, checkSchema(ctx, conn, schema)
	}
	tables := make([]Table, 0, len(rows))
	for _, r := range rows {
		t := Table{OID: r.oid(0), Schema: schema, Name: r.text(1), Partitioned: r.bool(2), Identity: r[3][0],
			Rows: r.int(7), Bytes: r.int(8)}
		for _, k := range keys[r.oid(5)] {
			t.Key = append(t.Key, k.text(1))
		}
		t.addColumns(columns[t.OID], &types)
		t.Unpublishable, t.Mend = t.whyNot(r.bool(4), r.int(6), version, r.text(9))
		tables = append(tables, t)
	}
	return tables, nil
}

// checkSchema tells a schema that is not there from one without tables.
func checkSchema(ctx context.Context, conn *pgconn.PgConn, schema string) error {
	rows, err := query(ctx, conn, "SELECT FROM pg_catalog.pg_namespace WHERE nspname = "+quoteLiteral(schema))
	if err != nil || len(rows) > 0 {
		return err
	}
	return hint.New(errors.New("the database has no such schema"), "check database.url and database.schema")
}

// addColumns sorts rows of columnsSQL into Columns and Generated.
func (t *Table) addColumns(rows []row, types *typeCache) {
	for _, r := range rows {
		if r.bool(3) {
			t.Generated = append(t.Generated, r.text(1))
			continue
		}
		typ, _ := types.resolve(r.oid(2))
		key := t.Identity == IdentityFull || slices.Contains(t.Key, r.text(1))
		t.Columns = append(t.Columns, Column{Name: r.text(1), Type: typ, Key: key})
	}
}

// grouped runs one of the queries above and groups its rows by the OID in their first column.
func grouped(ctx context.Context, conn *pgconn.PgConn, sql, schema string) (map[uint32][]row, error) {
	rows, err := query(ctx, conn, fmt.Sprintf(sql, quoteLiteral(schema)))
	if err != nil {
		return nil, err
	}
	groups := make(map[uint32][]row)
	for _, r := range rows {
		groups[r.oid(0)] = append(groups[r.oid(0)], r)
	}
	return groups, nil
}

// int returns column i as a number; the server writes it, so what is no number is 0.
func (r row) int(i int) int64 {
	n, err := strconv.ParseInt(string(r[i]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
