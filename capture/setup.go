package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Setup makes the publication, where the server can with column lists, which keep what is not mirrored on the server,
// and then tries what Run will need of the role: to read tables and to open a replication connection. It returns the
// tables whose other columns an older publication sends all the same. What it cannot make or is refused is an error;
// SetupSQL has the statements for somebody who can.
func Setup(ctx context.Context, cfg Config, tables []Table) (whole []string, err error) {
	if err := preparePublication(ctx, cfg, tables, hasLists); err != nil {
		return nil, err
	}
	if err := CheckReadable(ctx, cfg, tables); err != nil {
		return nil, err
	}
	if _, err := Identify(ctx, cfg); err != nil {
		return nil, err
	}
	conn, cfg, err := connectPrimary(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer closeConn(conn)
	members, err := readMembers(ctx, conn, cfg.Publication, tables)
	return unlisted(conn, tables, members), err
}

// What a DBA should know of statements that SetupSQL returns, as SQL comments.
const (
	aboutLists = `-- The column lists keep on the server what is not sent. While they stand, PostgreSQL refuses to drop a
-- listed column or to change its type ("… used by a publication WHERE clause"), and REPLICA IDENTITY FULL on such a
-- table makes the application's UPDATE and DELETE fail.
`
	aboutAnew = `-- A bluetap that has run with this publication must begin with a new state after this.
`
)

// SetupSQL returns the statements that give the role of cfg.URL what Run needs and no more, and make the publication,
// for a superuser to run in one transaction, or the tables' owner where the role has its attributes. What is there
// already is left out, but for grants, which may be repeated. A publication that will not do is mended.
func SetupSQL(ctx context.Context, cfg Config, tables []Table) ([]string, error) {
	if err := refuseUnpublishable(tables); err != nil {
		return nil, err
	}
	conn, cfg, err := connectPrimary(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer closeConn(conn)
	statements, err := roleSQL(ctx, conn, tables)
	if err != nil {
		return nil, err
	}
	mend, anew, err := mendSQL(ctx, conn, cfg, tables)
	if err != nil || len(mend) == 0 {
		return statements, err
	}
	if hasLists(conn) && slices.ContainsFunc(tables, func(t Table) bool { return t.listed() }) {
		mend[0] = aboutLists + mend[0]
	}
	if anew {
		mend[0] = aboutAnew + mend[0]
	}
	return append(statements, mend...), nil
}

// mendSQL returns the statements that make the publication or mend all that is wrong with it. What no statement mends
// is an error. anew means that they take tables out of the publication and put them back.
func mendSQL(ctx context.Context, conn *pgconn.PgConn, cfg Config, tables []Table,
) (statements []string, anew bool, err error) {
	_, faults, err := publicationFaults(ctx, conn, cfg, tables, wholeTables)
	if err != nil {
		return nil, false, err
	}
	for _, fault := range faults {
		var unfit *PublicationError
		if !errors.As(fault, &unfit) || len(unfit.Mend) == 0 {
			return nil, false, fault
		}
		statements = append(statements, unfit.Mend...)
		anew = anew || len(unfit.Mend) > 1
	}
	return statements, anew, nil
}

const roleAttributesSQL = `
SELECT current_user, r.rolreplication OR r.rolsuper, EXISTS (
  SELECT FROM pg_catalog.pg_class c WHERE c.oid = ANY (%s) AND pg_catalog.row_security_active(c.oid))
FROM pg_catalog.pg_roles r WHERE r.rolname = current_user`

// roleSQL returns what the role still lacks, and its grants.
func roleSQL(ctx context.Context, conn *pgconn.PgConn, tables []Table) ([]string, error) {
	r, err := queryOne(ctx, conn, fmt.Sprintf(roleAttributesSQL, oids(tables)))
	if err != nil {
		return nil, fmt.Errorf("read role: %w", err)
	}
	role := quoteIdent(r.text(0))
	var statements []string
	if replication := r.bool(1); !replication {
		statements = append(statements, "ALTER ROLE "+role+" REPLICATION")
	}
	if restricted := r.bool(2); restricted {
		statements = append(statements, "ALTER ROLE "+role+" BYPASSRLS")
	}
	return append(statements, grantsSQL(role, tables)...), nil
}

// grantsSQL returns the grants that let role, quoted already, copy tables: of those that have more columns than are
// wanted only the wanted ones.
func grantsSQL(role string, tables []Table) []string {
	var schemas, whole, partial []string
	for i := range tables {
		t := &tables[i]
		if !slices.Contains(schemas, quoteIdent(t.Schema)) {
			schemas = append(schemas, quoteIdent(t.Schema))
		}
		if t.Partial {
			partial = append(partial, "GRANT SELECT ("+t.columnList()+") ON "+t.sql()+" TO "+role)
		} else {
			whole = append(whole, t.sql())
		}
	}
	statements := []string{"GRANT USAGE ON SCHEMA " + strings.Join(schemas, ", ") + " TO " + role}
	if len(whole) > 0 {
		statements = append(statements, "GRANT SELECT ON "+strings.Join(whole, ", ")+" TO "+role)
	}
	return append(statements, partial...)
}
