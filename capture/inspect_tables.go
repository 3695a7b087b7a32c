package capture

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"bluetap/internal/finding"
	"bluetap/internal/hint"
)

// identities looks at the tables that bluetap would publish, and at those beside them that its publication holds
// already: of each the application's UPDATE and DELETE need a replica identity from then on.
func (i *inspector) identities(ctx context.Context) error {
	before := len(i.found)
	for k := range i.Tables {
		t := &i.Tables[k]
		if t.Unpublishable != "" {
			i.add(finding.Fail(finding.ReplicaID, "it must not be published: "+t.Unpublishable, t.Mend).About(t.Name))
		}
		if t.Unpublishable == "" && t.Identity == IdentityFull {
			i.add(finding.Passed(finding.ReplicaID, "it has REPLICA IDENTITY FULL, which logs whole old rows; bluetap needs "+
				"no more than the primary key").About(t.Name))
		}
	}
	if err := i.strangers(ctx); err != nil {
		return err
	}
	if len(i.found) == before {
		i.add(finding.Passed(finding.ReplicaID, "all tables that are published have a replica identity"))
	}
	return nil
}

// strangersSQL finds what a publication holds beside some tables and without a usable replica identity, leaf by leaf.
const strangersSQL = `
SELECT DISTINCT n.nspname, l.relname, p.puballtables FROM pg_catalog.pg_publication p
JOIN pg_catalog.pg_publication_tables t ON t.pubname = p.pubname
JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
CROSS JOIN LATERAL (SELECT c.oid UNION SELECT relid FROM pg_catalog.pg_partition_tree(c.oid) WHERE isleaf) x (oid)
JOIN pg_catalog.pg_class l ON l.oid = x.oid AND l.relkind = 'r'
WHERE p.pubname = %s AND (p.pubupdate OR p.pubdelete) AND NOT c.oid = ANY (%s)
  AND l.relreplident <> 'f' AND pg_catalog.pg_get_replica_identity_index(l.oid) IS NULL
ORDER BY 1, 2 LIMIT 20`

func (i *inspector) strangers(ctx context.Context) error {
	rows, err := query(ctx, i.conn, fmt.Sprintf(strangersSQL, quoteLiteral(i.cfg.Publication), oids(i.Tables)))
	if err != nil {
		return err
	}
	for _, r := range rows {
		t := Table{Schema: r.text(0), Name: r.text(1)}
		mend := "ALTER PUBLICATION " + quoteIdent(i.cfg.Publication) + " DROP TABLE " + t.sql()
		if all := r.bool(2); all {
			mend = "ALTER TABLE " + t.sql() + " ADD PRIMARY KEY (…), or a publication of Blue's tables only: bluetap setup"
		}
		i.add(finding.Fail(finding.ReplicaID, "it is published without a replica identity: its UPDATE and DELETE fail",
			mend).About(t.Schema + "." + t.Name))
	}
	return nil
}

// privileges tries to read each table, and asks the server of those that it may not read what stands in the way.
func (i *inspector) privileges(ctx context.Context) error {
	var hidden, refused []Table
	for k := range i.Tables {
		t := &i.Tables[k]
		err := tryRead(ctx, i.conn, t)
		if err != nil && sqlState(err) != stateInsufficientRights {
			return err
		}
		if err == nil {
			continue
		}
		hides, granted, err := i.rights(ctx, t)
		if err != nil {
			return err
		}
		if hides {
			hidden = append(hidden, *t)
		}
		if !granted || !hides {
			refused = append(refused, *t)
		}
	}
	i.unreadable(hidden, refused)
	return nil
}

// fewTables is how many tables' grants a person wants to see on one line.
const fewTables = 3

func (i *inspector) unreadable(hidden, refused []Table) {
	if len(hidden) > 0 {
		i.add(finding.Fail(finding.RowSecurity, "row-level security hides rows from the role in "+tableNames(hidden),
			"ALTER ROLE "+i.role+" BYPASSRLS"))
	} else {
		i.add(finding.Passed(finding.RowSecurity, "no row is hidden from the role"))
	}
	if len(refused) == 0 {
		i.add(finding.Passed(finding.Privileges, fmt.Sprintf("the role has the right to read all %d tables", len(i.Tables))))
		return
	}
	next := runPrinted
	if len(refused) <= fewTables {
		next = strings.Join(grantsSQL(i.role, refused), "; ")
	}
	i.add(finding.Fail(finding.Privileges, "the role may not read all that is needed of "+tableNames(refused), next))
}

// runPrinted is what mends all that a role lacks.
const runPrinted = "have a superuser run what this prints: bluetap setup --config FILE --print"

func tableNames(tables []Table) string {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.Name
	}
	return strings.Join(names, ", ")
}

// rights tells whether row-level security applies to the role, and whether it may read the columns that are needed.
func (i *inspector) rights(ctx context.Context, t *Table) (hides, granted bool, err error) {
	names := make([]string, len(t.Columns))
	for k, c := range t.Columns {
		names[k] = quoteLiteral(c.Name)
	}
	r, err := queryOne(ctx, i.conn, fmt.Sprintf(`SELECT pg_catalog.row_security_active(c.oid),
		pg_catalog.has_schema_privilege(relnamespace, 'USAGE') AND
		(SELECT pg_catalog.bool_and(pg_catalog.has_column_privilege(c.oid, a.name, 'SELECT'))
		FROM unnest(ARRAY[%s]::text[]) a (name)) FROM pg_catalog.pg_class c WHERE oid = %d`,
		strings.Join(names, ", "), t.OID))
	if err != nil {
		return false, false, err
	}
	return r.bool(0), r.bool(1), nil
}

// publication looks at the one that is there, or tries to make it.
func (i *inspector) publication(ctx context.Context) error {
	n := wholeTables
	if i.Begun != nil || i.Running {
		n = asItIs
	}
	found, err := publicationExists(ctx, i.conn, i.cfg)
	if err != nil {
		return err
	}
	if !found && n == wholeTables {
		return i.tryPublication(ctx)
	}
	_, faults, err := publicationFaults(ctx, i.conn, i.cfg, i.Tables, n)
	if err != nil {
		return err
	}
	for _, fault := range faults {
		i.add(finding.Fail(finding.Publication, fault.Error(), hint.Of(fault)))
	}
	if len(faults) == 0 {
		i.add(finding.Passed(finding.Publication, fmt.Sprintf("publication %s sends the %d tables", i.cfg.Publication,
			len(i.Tables))))
	}
	if found {
		return i.columnLists(ctx)
	}
	return nil
}

// tryPublication makes the publication and rolls it back.
func (i *inspector) tryPublication(ctx context.Context) error {
	publishable := i.Tables[:0:0]
	for _, t := range i.Tables {
		if t.Unpublishable == "" {
			publishable = append(publishable, t)
		}
	}
	if len(publishable) == 0 {
		return nil
	}
	sql := PublicationSQL(i.cfg, publishable, hasLists(i.conn))
	_, err := query(ctx, i.conn, "BEGIN; "+sql)
	if _, rollbackErr := query(ctx, i.conn, "ROLLBACK"); rollbackErr != nil {
		return errors.Join(err, rollbackErr)
	}
	if sqlState(err) == stateInsufficientRights {
		i.add(finding.Fail(finding.Publication, fmt.Sprintf("publication %s does not exist, and the role may not make it: %s",
			i.cfg.Publication, serverMessage(err)), runPrinted))
		return nil
	}
	if err != nil {
		return err
	}
	i.add(finding.Passed(finding.Publication, "publication "+i.cfg.Publication+
		" does not exist yet; the role may make it, with bluetap setup"))
	return nil
}

// columnLists looks at columns on which the publication and the mirror do not agree, and which do not keep it from
// working.
func (i *inspector) columnLists(ctx context.Context) error {
	members, err := readMembers(ctx, i.conn, i.cfg.Publication, i.Tables)
	if err != nil {
		return err
	}
	if names := unlisted(i.conn, i.Tables, members); len(names) > 0 {
		next := ""
		if i.Begun == nil && !i.Running {
			next = "DROP PUBLICATION " + quoteIdent(i.cfg.Publication) + "; then bluetap setup, which keeps them on the server"
		}
		i.add(finding.Warn(finding.ColumnList, "columns of "+strings.Join(names, ", ")+
			" that are not sent are published, and dropped only as they arrive", next))
	}
	for k := range i.Tables {
		t := &i.Tables[k]
		if lacking := t.lacking(members[t.OID].columns); len(lacking) > 0 && (i.Begun != nil || i.Running) {
			i.add(finding.Warn(finding.ColumnList, "the publication's column list lacks "+strings.Join(lacking, ", ")+
				", which are left out", "").About(t.Name))
		}
	}
	return nil
}
