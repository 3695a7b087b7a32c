package capture

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/hint"
)

const publicationOptions = `publish = 'insert, update, delete, truncate', publish_via_partition_root = true`

// majorRowFilter is the server version that brought row filters and column lists.
const majorRowFilter = "15"

// PublicationError says that a publication is missing or is not what bluetap needs. Retrying cannot mend it.
type PublicationError struct {
	Publication string
	Reason      string // in words, e.g. "it does not exist"
}

// Error says what is wrong.
func (e *PublicationError) Error() string { return "publication " + e.Publication + ": " + e.Reason }

// PublicationSQL returns the statement, on one line, that creates cfg.Publication with exactly tables.
func PublicationSQL(cfg Config, tables []Table) string {
	return "CREATE PUBLICATION " + quoteIdent(cfg.Publication) + " FOR TABLE " + tableList(tables) +
		" WITH (" + publicationOptions + ")"
}

// tableList names tables for a publication. ONLY keeps the children of inheritance out, which are tables of their
// own; partitions cannot be kept out and need not be.
func tableList(tables []Table) string {
	names := make([]string, len(tables))
	for i := range tables {
		names[i] = tables[i].sql()
		if !tables[i].Partitioned {
			names[i] = "ONLY " + names[i]
		}
	}
	return strings.Join(names, ", ")
}

// EnsurePublication creates cfg.Publication with exactly tables, or checks the one that exists: it must publish all
// four operations through the partition root, without row filters and column lists, and hold all of tables. A
// publication that will not do is a *PublicationError whose hint is the SQL that mends it; so is one that the role may
// not create. It must be called before the slot is created: a slot does not see a later publication (Postgres manual,
// "Publication").
func EnsurePublication(ctx context.Context, cfg Config, tables []Table) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	if err := refuseUnpublishable(tables); err != nil {
		return err
	}
	conn, err := connect(ctx, cfg)
	if err != nil {
		return explain(err)
	}
	defer closeConn(conn)
	if err := checkPrimary(ctx, conn); err != nil {
		return err
	}
	found, err := publicationExists(ctx, conn, cfg)
	if err != nil || found {
		if err == nil {
			_, err = checkPublication(ctx, conn, cfg, tables)
		}
		return err
	}
	sql := PublicationSQL(cfg, tables)
	if _, err := query(ctx, conn, sql); err != nil {
		return hint.New(fmt.Errorf("create publication %s: %w", cfg.Publication, err), sql)
	}
	cfg.Log.Info("publication created", "publication", cfg.Publication, "tables", len(tables))
	return nil
}

func refuseUnpublishable(tables []Table) error {
	if len(tables) == 0 {
		return fmt.Errorf("create publication: no tables to publish")
	}
	for i := range tables {
		if why := tables[i].Unpublishable; why != "" {
			return hint.New(fmt.Errorf("publish table %s: %s", tables[i].sql(), why),
				"or leave the table out with enabled: false under database.tables")
		}
	}
	return nil
}

func publicationExists(ctx context.Context, conn *pgconn.PgConn, cfg Config) (bool, error) {
	rows, err := query(ctx, conn,
		"SELECT FROM pg_catalog.pg_publication WHERE pubname = "+quoteLiteral(cfg.Publication))
	if err != nil {
		return false, fmt.Errorf("look for publication %s: %w", cfg.Publication, err)
	}
	return len(rows) > 0, nil
}

// checkPublication returns what Membership does, or a *PublicationError, with the SQL that mends it, unless the
// publication will do. A missing one must be found here: from version 18 on the server merely warns and sends nothing.
func checkPublication(ctx context.Context, conn *pgconn.PgConn, cfg Config, tables []Table) (map[uint32]uint32,
	error) {
	rows, err := query(ctx, conn, `SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate AND pubviaroot
		FROM pg_catalog.pg_publication WHERE pubname = `+quoteLiteral(cfg.Publication))
	if err != nil {
		return nil, fmt.Errorf("read publication %s: %w", cfg.Publication, err)
	}
	if len(rows) == 0 {
		return nil, wrong(cfg.Publication, "it does not exist", PublicationSQL(cfg, tables))
	}
	if !rows[0].bool(0) {
		return nil, wrong(cfg.Publication, "it does not publish all operations through the partition root",
			"ALTER PUBLICATION "+quoteIdent(cfg.Publication)+" SET ("+publicationOptions+")")
	}
	members, err := readMembers(ctx, conn, cfg.Publication, tables)
	if err != nil {
		return nil, err
	}
	return checkMembers(cfg.Publication, tables, members)
}

// checkMembers returns the entries of members, or the first thing that is wrong with them.
func checkMembers(publication string, tables []Table, members map[uint32]member) (map[uint32]uint32, error) {
	entries := make(map[uint32]uint32, len(tables))
	var missing []Table
	for i := range tables {
		t := &tables[i]
		m, exists := members[t.OID]
		switch {
		case !exists:
			return nil, wrong(publication, "table "+t.sql()+" was dropped", startAgain)
		case m.schema != t.Schema || m.name != t.Name:
			now := Table{Schema: m.schema, Name: m.name}
			return nil, wrong(publication, "table "+t.sql()+" was renamed to "+now.sql(), startAgain)
		case m.filtered:
			return nil, wrong(publication, "table "+t.sql()+" has a row filter", addAgain(publication, t))
		case m.cut:
			return nil, wrong(publication, "table "+t.sql()+" has a column list", addAgain(publication, t))
		case !m.published:
			missing = append(missing, *t)
		case m.entry != 0:
			entries[t.OID] = m.entry
		}
	}
	if len(missing) > 0 {
		return nil, wrong(publication, "it lacks "+tableList(missing),
			"ALTER PUBLICATION "+quoteIdent(publication)+" ADD TABLE "+tableList(missing))
	}
	return entries, nil
}

// startAgain is the advice for tables that are not what they were: they are looked up at the start.
const startAgain = "start bluetap again"

func wrong(publication, reason, mend string) error {
	return hint.New(&PublicationError{Publication: publication, Reason: reason}, mend)
}

// addAgain returns the SQL that rids a table's entry of what restricts it.
func addAgain(publication string, t *Table) string {
	alter := "ALTER PUBLICATION " + quoteIdent(publication)
	return alter + " DROP TABLE " + t.sql() + "; " + alter + " ADD TABLE " + tableList([]Table{*t})
}
