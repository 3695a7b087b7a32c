package capture

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// errRewritten means that a table got new files between the slot and the copy. What is in new files was written later
// than the snapshot, so that it shows none of the rows (Postgres manual, "Caveats" of concurrency control). Another
// attempt mends it.
var errRewritten = errors.New("a table was rewritten, or its partitions changed, while the snapshot was made")

// pg_partition_tree has no rows for a table that has no partitions.
const filesSQL = `
SELECT t.oid, pg_catalog.string_agg(f.oid || ' ' || COALESCE(pg_catalog.pg_relation_filenode(f.oid), 0), ','
  ORDER BY f.oid)
FROM pg_catalog.unnest(%s) AS t(oid), LATERAL (
  SELECT t.oid UNION SELECT p.relid FROM pg_catalog.pg_partition_tree(t.oid) p) AS f(oid)
GROUP BY t.oid`

// readFiles returns, by table OID, the names of the files that the table and its partitions are in at this moment,
// whatever snapshot conn has.
func readFiles(ctx context.Context, conn *pgconn.PgConn, tables []Table) (map[uint32]string, error) {
	rows, err := query(ctx, conn, fmt.Sprintf(filesSQL, oids(tables)))
	if err != nil {
		return nil, fmt.Errorf("read files of tables: %w", err)
	}
	files := make(map[uint32]string, len(rows))
	for _, r := range rows {
		files[r.oid(0)] = r.text(1)
	}
	return files, nil
}

// checkFiles compares the tables' files with those before the slot was made. conn holds locks that keep them.
func (s *Snapshot) checkFiles(ctx context.Context, conn *pgconn.PgConn, tables []Table) error {
	files, err := readFiles(ctx, conn, tables)
	if err != nil {
		return err
	}
	for i := range tables {
		before, known := s.files[tables[i].OID]
		if !known {
			return fmt.Errorf("copy table %s: the snapshot was made without it", tables[i].sql())
		}
		if files[tables[i].OID] != before {
			return fmt.Errorf("copy table %s: %w", tables[i].sql(), errRewritten)
		}
	}
	return nil
}

// oids returns the tables' OIDs as an SQL array.
func oids(tables []Table) string {
	list := make([]string, len(tables))
	for i := range tables {
		list[i] = strconv.FormatUint(uint64(tables[i].OID), 10)
	}
	return "'{" + strings.Join(list, ",") + "}'::pg_catalog.oid[]"
}
