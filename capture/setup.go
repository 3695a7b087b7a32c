package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/hint"
)

// Setup makes the publication, where the server can with column lists, which keep what is not mirrored on the server,
// and then tries what Run will need of the role: to read tables and to open a replication connection. What it cannot
// make or is refused is an error; SetupSQL has the statements for somebody who can.
func Setup(ctx context.Context, cfg Config, tables []Table) error {
	if err := preparePublication(ctx, cfg, tables, hasLists); err != nil {
		return err
	}
	if err := CheckReadable(ctx, cfg, tables); err != nil {
		return err
	}
	if _, err := Identify(ctx, cfg); err != nil {
		return err
	}
	return nil
}

// SetupSQL returns the statements that give the role of cfg.URL what Run needs and no more, and make the publication,
// for a superuser or the tables' owner to run. What is there already is left out, but for grants, which may be
// repeated. A publication that will not do is mended by the statement of its error.
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
	_, err = checkPublication(ctx, conn, cfg, tables, wholeTables)
	var unfit *PublicationError
	switch {
	case errors.As(err, &unfit) && hint.Of(err) == startAgain:
		return nil, err
	case errors.As(err, &unfit):
		statements = append(statements, hint.Of(err))
	case err != nil:
		return nil, err
	}
	return statements, nil
}

const roleAttributesSQL = `
SELECT current_user, r.rolreplication OR r.rolsuper, r.rolbypassrls OR r.rolsuper, EXISTS (
  SELECT FROM pg_catalog.pg_class c WHERE c.oid = ANY (%s) AND c.relrowsecurity)
FROM pg_catalog.pg_roles r WHERE r.rolname = current_user`

// roleSQL returns what the role still lacks, and its grants.
func roleSQL(ctx context.Context, conn *pgconn.PgConn, tables []Table) ([]string, error) {
	rows, err := query(ctx, conn, fmt.Sprintf(roleAttributesSQL, oids(tables)))
	if err != nil || len(rows) != 1 {
		return nil, fmt.Errorf("read role: %w", errors.Join(err, errOneRow(len(rows))))
	}
	role := quoteIdent(rows[0].text(0))
	var statements []string
	if replication := rows[0].bool(1); !replication {
		statements = append(statements, "ALTER ROLE "+role+" REPLICATION")
	}
	if bypass, restricted := rows[0].bool(2), rows[0].bool(3); restricted && !bypass {
		statements = append(statements, "ALTER ROLE "+role+" BYPASSRLS")
	}
	return append(statements, grantsSQL(role, tables)...), nil
}

func errOneRow(n int) error {
	if n == 1 {
		return nil
	}
	return fmt.Errorf("%d rows instead of one", n)
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
