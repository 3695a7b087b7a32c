package capture

import (
	"context"
	"fmt"
	"strings"

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
		_, err := query(ctx, conn, "SELECT "+t.columnList()+" FROM "+t.only()+" LIMIT 0")
		if sqlState(err) == stateInsufficientRights {
			role := "CURRENT_USER"
			if rows, roleErr := query(ctx, conn, "SELECT current_user"); roleErr == nil && len(rows) == 1 {
				role = quoteIdent(rows[0].text(0))
			}
			return hint.New(fmt.Errorf("read table %s: %w", t.sql(), err), strings.Join(grantsSQL(role, tables), "; ")+
				"; where row-level security applies: ALTER ROLE "+role+" BYPASSRLS")
		}
		if err != nil {
			return explain(fmt.Errorf("read table %s: %w", t.sql(), err))
		}
	}
	return nil
}

// columnList returns the table's columns as SELECT takes them.
func (t *Table) columnList() string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = quoteIdent(c.Name)
	}
	return strings.Join(names, ", ")
}
