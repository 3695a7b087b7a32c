package capture

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/hint"
)

const publicationOptions = `publish = 'insert, update, delete, truncate', publish_via_partition_root = true`

// majorRowFilter is the server version that brought row filters.
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
// four operations through the partition root, without row filters, and hold all of tables. A publication that will
// not do is a *PublicationError whose hint is the SQL that mends it; so is one that the role may not create. It must
// be called before the slot is created: a slot does not see a later publication (Postgres manual, "Publication").
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
	found, err := publicationExists(ctx, conn, cfg)
	if err != nil || found {
		if err == nil {
			err = checkPublication(ctx, conn, cfg, tables)
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

// checkPublication returns a *PublicationError, with the SQL that mends it, unless the publication will do. A missing
// one must be found here: from version 18 on the server merely warns and sends nothing.
func checkPublication(ctx context.Context, conn *pgconn.PgConn, cfg Config, tables []Table) error {
	name := quoteIdent(cfg.Publication)
	wrong := func(reason, mend string) error {
		return hint.New(&PublicationError{Publication: cfg.Publication, Reason: reason}, mend)
	}
	rows, err := query(ctx, conn, `SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate AND pubviaroot
		FROM pg_catalog.pg_publication WHERE pubname = `+quoteLiteral(cfg.Publication))
	if err != nil {
		return fmt.Errorf("read publication %s: %w", cfg.Publication, err)
	}
	if len(rows) == 0 {
		return wrong("it does not exist", PublicationSQL(cfg, tables))
	}
	if !rows[0].bool(0) {
		return wrong("it does not publish all operations through the partition root",
			"ALTER PUBLICATION "+name+" SET ("+publicationOptions+")")
	}
	published, err := publishedTables(ctx, conn, cfg.Publication)
	if err != nil {
		return err
	}
	var missing []Table
	for i := range tables {
		filtered, ok := published[[2]string{tables[i].Schema, tables[i].Name}]
		if filtered {
			return wrong("table "+tables[i].sql()+" has a row filter", "ALTER PUBLICATION "+name+" DROP TABLE "+
				tables[i].sql()+"; ALTER PUBLICATION "+name+" ADD TABLE "+tableList(tables[i:i+1]))
		}
		if !ok {
			missing = append(missing, tables[i])
		}
	}
	if len(missing) > 0 {
		return wrong("it lacks "+tableList(missing), "ALTER PUBLICATION "+name+" ADD TABLE "+tableList(missing))
	}
	return nil
}

// publishedTables returns the publication's tables by schema and name, and whether each has a row filter.
func publishedTables(ctx context.Context, conn *pgconn.PgConn, publication string) (map[[2]string]bool, error) {
	filter := "rowfilter IS NOT NULL"
	if major(conn) < majorRowFilter {
		filter = "false"
	}
	rows, err := query(ctx, conn, "SELECT schemaname, tablename, "+filter+
		" FROM pg_catalog.pg_publication_tables WHERE pubname = "+quoteLiteral(publication))
	if err != nil {
		return nil, fmt.Errorf("read tables of publication %s: %w", publication, err)
	}
	tables := make(map[[2]string]bool, len(rows))
	for _, r := range rows {
		tables[[2]string{r.text(0), r.text(1)}] = r.bool(2)
	}
	return tables, nil
}
