package capture

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/hint"
)

// CheckReadable tries to read nothing from every table, with the columns that Copy would ask for: a missing grant, or
// row-level security that would hide rows, is better found before there is a slot than after.
func CheckReadable(ctx context.Context, cfg Config, tables []Table) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	conn, err := connect(ctx, cfg)
	if err != nil {
		return explain(err)
	}
	defer closeConn(conn)
	for i := range tables {
		t := &tables[i]
		err := tryRead(ctx, conn, t)
		if sqlState(err) == stateInsufficientRights {
			return hint.New(err, t.lackingRight(ctx, conn, tables))
		}
		if err != nil {
			return explain(err)
		}
	}
	return nil
}

// tryRead reads no row of the columns that Copy would ask for.
func tryRead(ctx context.Context, conn *pgconn.PgConn, t *Table) error {
	if _, err := query(ctx, conn, "SELECT "+t.columnList()+" FROM "+t.only()+" LIMIT 0"); err != nil {
		return fmt.Errorf("read table %s: %w", t.sql(), err)
	}
	return nil
}

// currentRole returns the quoted name of the session's role, as statements may name it.
func currentRole(ctx context.Context, conn *pgconn.PgConn) string {
	rows, err := query(ctx, conn, "SELECT current_user")
	if err != nil || len(rows) != 1 {
		return "CURRENT_USER"
	}
	return quoteIdent(rows[0].text(0))
}

// lackingRight returns the SQL that lets the role read t and the other tables. A right that is missing and rows that
// are hidden have the same SQLSTATE.
func (t *Table) lackingRight(ctx context.Context, conn *pgconn.PgConn, tables []Table) string {
	role := currentRole(ctx, conn)
	rows, err := query(ctx, conn, fmt.Sprintf("SELECT pg_catalog.row_security_active(%d)", t.OID))
	if err == nil && len(rows) == 1 && rows[0].bool(0) {
		return "ALTER ROLE " + role + " BYPASSRLS"
	}
	return strings.Join(grantsSQL(role, tables), "; ")
}

// columnList returns the table's columns as SELECT takes them.
func (t *Table) columnList() string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = quoteIdent(c.Name)
	}
	return strings.Join(names, ", ")
}
