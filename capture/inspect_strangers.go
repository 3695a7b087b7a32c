package capture

import (
	"context"
	"fmt"

	"bluetap/internal/finding"
)

// strangersSQL finds, leaf by leaf, what a publication holds beside some tables and whose UPDATE and DELETE it makes
// fail: without a usable replica identity, or with a column list or a row filter that does not fit it (Postgres manual,
// "Column Lists" and "Row Filters"). Which columns a list or a filter names, the catalogue keeps as dependencies.
const strangersSQL = `
SELECT DISTINCT n.nspname, c.relname, l.oid::regclass::text, r.oid IS NOT NULL
FROM pg_catalog.pg_publication p
JOIN pg_catalog.pg_publication_tables t ON t.pubname = p.pubname
JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
LEFT JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = c.oid
CROSS JOIN LATERAL (SELECT c.oid UNION SELECT relid FROM pg_catalog.pg_partition_tree(c.oid) WHERE isleaf) x (oid)
JOIN pg_catalog.pg_class l ON l.oid = x.oid AND l.relkind = 'r'
WHERE p.pubname = %[1]s AND (p.pubupdate OR p.pubdelete) AND NOT c.oid = ANY (%[2]s) AND (
  l.relreplident <> 'f' AND pg_catalog.pg_get_replica_identity_index(l.oid) IS NULL %[3]s)
ORDER BY 1, 2, 3 LIMIT 20`

// misfitSQL is the second half of strangersSQL, for servers that have lists and filters.
const misfitSQL = ` OR r.prattrs IS NOT NULL AND (l.relreplident = 'f' OR EXISTS (
    SELECT FROM pg_catalog.pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) k
      JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.k
    WHERE i.indexrelid = pg_catalog.pg_get_replica_identity_index(l.oid) AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_attribute b WHERE b.attrelid = c.oid AND b.attname = a.attname
        AND b.attnum = ANY (r.prattrs::int2[]))))
  OR r.prqual IS NOT NULL AND r.prattrs IS NULL AND l.relreplident <> 'f' AND EXISTS (
    SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute b ON b.attrelid = c.oid AND b.attnum = d.refobjsubid
    WHERE d.classid = 'pg_catalog.pg_publication_rel'::regclass AND d.objid = r.oid AND d.refobjid = c.oid
      AND d.refobjsubid > 0 AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) k
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.k
      WHERE i.indexrelid = pg_catalog.pg_get_replica_identity_index(l.oid) AND a.attname = b.attname))`

func (i *inspector) strangers(ctx context.Context) error {
	misfit := misfitSQL
	if !hasLists(i.conn) {
		misfit = ""
	}
	rows, err := query(ctx, i.conn, fmt.Sprintf(strangersSQL, quoteLiteral(i.cfg.Publication), oids(i.Tables), misfit))
	if err != nil {
		return err
	}
	for _, r := range rows {
		root := Table{Schema: r.text(0), Name: r.text(1)}
		mend := "ALTER TABLE " + r.text(2) + " ADD PRIMARY KEY (…); or have bluetap read another publication: " +
			"set database.publication, then bluetap setup"
		if named := r.bool(3); named {
			mend = "ALTER PUBLICATION " + quoteIdent(i.cfg.Publication) + " DROP TABLE " + root.sql()
		}
		i.add(finding.Fail(finding.ReplicaID, "it is published without a replica identity that fits: its UPDATE and DELETE "+
			"fail", mend).About(r.text(2)))
	}
	return nil
}
