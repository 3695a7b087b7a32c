package capture

import (
	"context"
	"fmt"
	"slices"
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
	Reason      string   // in words, e.g. "it does not exist"
	Mend        []string // the statements that mend it, to be run in one transaction; nil where none can
}

// Error says what is wrong.
func (e *PublicationError) Error() string { return "publication " + e.Publication + ": " + e.Reason }

// PublicationSQL returns the statement, on one line, that creates cfg.Publication with exactly tables; with lists, of
// those that are Partial and Closed only the Columns.
func PublicationSQL(cfg Config, tables []Table, lists bool) string {
	return "CREATE PUBLICATION " + quoteIdent(cfg.Publication) + " FOR TABLE " + tableList(tables, lists) +
		" WITH (" + publicationOptions + ")"
}

// tableList names tables for a publication. ONLY keeps the children of inheritance out, which are tables of their
// own; partitions cannot be kept out and need not be.
func tableList(tables []Table, lists bool) string {
	names := make([]string, len(tables))
	for i := range tables {
		names[i] = tables[i].sql()
		if !tables[i].Partitioned {
			names[i] = "ONLY " + names[i]
		}
		if lists && tables[i].listed() {
			names[i] += " (" + tables[i].columnList() + ")"
		}
	}
	return strings.Join(names, ", ")
}

// listed tells whether a column list is to keep what is not wanted from being published. With REPLICA IDENTITY FULL it
// would make the application's UPDATEs and DELETEs fail, which need all columns published.
func (t *Table) listed() bool { return t.Partial && t.Closed && t.Identity != IdentityFull }

// hasLists tells whether the server has column lists.
func hasLists(conn *pgconn.PgConn) bool { return major(conn) >= majorRowFilter }

// EnsurePublication creates cfg.Publication with exactly tables, without column lists, or checks the one that exists:
// it must publish all four operations through the partition root, without row filters, and hold all of tables with all
// Columns. A publication that will not do is a *PublicationError whose hint is the SQL that mends it; so is one that
// the role may not create. It must be called before the slot is created: a slot does not see a later publication
// (Postgres manual, "Publication").
func EnsurePublication(ctx context.Context, cfg Config, tables []Table) error {
	return preparePublication(ctx, cfg, tables, func(*pgconn.PgConn) bool { return false })
}

// preparePublication is EnsurePublication, which makes column lists if lists says so of the server.
func preparePublication(ctx context.Context, cfg Config, tables []Table, lists func(*pgconn.PgConn) bool) error {
	if err := refuseUnpublishable(tables); err != nil {
		return err
	}
	conn, cfg, err := connectPrimary(ctx, cfg)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	found, err := publicationExists(ctx, conn, cfg)
	if err != nil || found {
		if err == nil {
			_, err = checkPublication(ctx, conn, cfg, tables, wholeTables)
		}
		return err
	}
	if _, err := query(ctx, conn, PublicationSQL(cfg, tables, lists(conn))); err != nil {
		return hint.New(fmt.Errorf("create publication %s: %w", cfg.Publication, err),
			PublicationSQL(cfg, tables, hasLists(conn)))
	}
	cfg.Log.Info("publication created", "publication", cfg.Publication, "tables", len(tables))
	members, err := readMembers(ctx, conn, cfg.Publication, tables)
	if err != nil {
		return err
	}
	logUnlisted(cfg, conn, tables, members)
	return nil
}

// CheckPublication is EnsurePublication for a state that has been begun: it makes nothing, since a publication that is
// made anew has a gap, and of a column that a column list leaves out it merely warns: a table that got a column must
// not keep bluetap from starting.
func CheckPublication(ctx context.Context, cfg Config, tables []Table) error {
	if err := refuseUnpublishable(tables); err != nil {
		return err
	}
	conn, cfg, err := connectPrimary(ctx, cfg)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	if _, err := checkPublication(ctx, conn, cfg, tables, asItIs); err != nil {
		return err
	}
	members, err := readMembers(ctx, conn, cfg.Publication, tables)
	if err != nil {
		return err
	}
	for i := range tables {
		t := &tables[i]
		if lacking := t.lacking(members[t.OID].columns); len(lacking) > 0 {
			cfg.Log.Warn("columns are left out: the publication's column list lacks them, and a list that is changed "+
				"needs a state begun anew", "table", t.Name, "columns", lacking)
		}
	}
	logUnlisted(cfg, conn, tables, members)
	return nil
}

// unlisted returns the tables that are published with columns that are not wanted, though a list could keep these on
// the server.
func unlisted(conn *pgconn.PgConn, tables []Table, members map[uint32]member) []string {
	var names []string
	for i := range tables {
		t := &tables[i]
		if m := members[t.OID]; hasLists(conn) && t.listed() && m.published && m.columns == nil {
			names = append(names, t.Name)
		}
	}
	return names
}

func logUnlisted(cfg Config, conn *pgconn.PgConn, tables []Table, members map[uint32]member) {
	if names := unlisted(conn, tables, members); len(names) > 0 {
		cfg.Log.Info("columns that are not sent are published, and dropped on arrival; a publication made by bluetap setup "+
			"keeps them on the server", "tables", names)
	}
}

func refuseUnpublishable(tables []Table) error {
	if len(tables) == 0 {
		return fmt.Errorf("create publication: no tables to publish")
	}
	for i := range tables {
		if why := tables[i].Unpublishable; why != "" {
			return hint.New(fmt.Errorf("publish table %s: %s", tables[i].sql(), why),
				tables[i].Mend+"; or leave the table out: enabled: false under database.tables")
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

// need says which columns a publication must have of a table.
type need bool

const (
	wholeTables need = true  // all of Columns
	asItIs      need = false // those that it has: what is left out of a list since a state was begun is left out
)

// lacking returns the columns that a column list does not have; a nil list is none.
func (t *Table) lacking(list []string) []string {
	if list == nil {
		return nil
	}
	var lacking []string
	for _, c := range t.Columns {
		if !slices.Contains(list, c.Name) {
			lacking = append(lacking, c.Name)
		}
	}
	return lacking
}

// checkPublication returns what Membership does, or the first of publicationFaults.
func checkPublication(ctx context.Context, conn *pgconn.PgConn, cfg Config, tables []Table, n need,
) (map[uint32]uint32, error) {
	entries, faults, err := publicationFaults(ctx, conn, cfg, tables, n)
	if err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		return nil, faults[0]
	}
	return entries, nil
}

// publicationFaults returns what Membership does, and a *PublicationError, with the SQL that mends it, for each thing
// that keeps the publication from doing. A missing one must be found here: from version 18 on the server merely warns
// and sends nothing.
func publicationFaults(ctx context.Context, conn *pgconn.PgConn, cfg Config, tables []Table, n need,
) (entries map[uint32]uint32, faults []error, err error) {
	rows, err := query(ctx, conn, `SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate AND pubviaroot
		FROM pg_catalog.pg_publication WHERE pubname = `+quoteLiteral(cfg.Publication))
	if err != nil {
		return nil, nil, fmt.Errorf("read publication %s: %w", cfg.Publication, err)
	}
	if len(rows) == 0 {
		return nil, []error{wrong(cfg.Publication, "it does not exist",
			PublicationSQL(cfg, tables, hasLists(conn)))}, nil
	}
	if !rows[0].bool(0) {
		faults = append(faults, wrong(cfg.Publication, "it does not publish all operations through the partition root",
			"ALTER PUBLICATION "+quoteIdent(cfg.Publication)+" SET ("+publicationOptions+")"))
	}
	members, err := readMembers(ctx, conn, cfg.Publication, tables)
	if err != nil {
		return nil, nil, err
	}
	entries, ofTables := memberFaults(cfg.Publication, tables, members, n, hasLists(conn))
	return entries, append(faults, ofTables...), nil
}

// memberFaults returns the entries of members, and what is wrong with them, one fault a table; those that are missing
// share one, the last.
func memberFaults(publication string, tables []Table, members map[uint32]member, n need, lists bool,
) (entries map[uint32]uint32, faults []error) {
	entries = make(map[uint32]uint32, len(tables))
	var missing []Table
	for i := range tables {
		t := &tables[i]
		m, exists := members[t.OID]
		switch fault := m.fault(publication, t, exists, n, lists); {
		case fault != nil:
			faults = append(faults, fault)
		case !m.published:
			missing = append(missing, *t)
		case m.entry != 0:
			entries[t.OID] = m.entry
		}
	}
	if len(missing) > 0 {
		faults = append(faults, wrong(publication, "it lacks "+tableList(missing, false),
			"ALTER PUBLICATION "+quoteIdent(publication)+" ADD TABLE "+tableList(missing, lists)))
	}
	return entries, faults
}

// fault returns what is wrong with how table t, if it still exists, stands in the publication, or nil.
func (m *member) fault(publication string, t *Table, exists bool, n need, lists bool) error {
	switch {
	case !exists:
		return changed(publication, "table "+t.sql()+" was dropped")
	case m.schema != t.Schema || m.name != t.Name:
		now := Table{Schema: m.schema, Name: m.name}
		return changed(publication, "table "+t.sql()+" was renamed to "+now.sql())
	case m.filtered:
		return wrong(publication, "table "+t.sql()+" has a row filter", addAgain(publication, t, lists)...)
	case m.harmful:
		return wrong(publication, "the column list of table "+t.sql()+" lacks columns of its replica identity, "+
			"so that the application's UPDATE and DELETE fail", addAgain(publication, t, false)...)
	case n == wholeTables && len(t.lacking(m.columns)) > 0:
		return wrong(publication, "the column list of table "+t.sql()+" lacks "+
			strings.Join(t.lacking(m.columns), ", "), addAgain(publication, t, lists)...)
	}
	return nil
}

// changed is the fault of tables that are not what they were: they are looked up at the start.
func changed(publication, reason string) error {
	return hint.New(&PublicationError{Publication: publication, Reason: reason}, "start bluetap again")
}

// wrong is a fault that statements mend.
func wrong(publication, reason string, mend ...string) error {
	advice := strings.Join(mend, "; ")
	if len(mend) > 1 {
		advice = "BEGIN; " + advice + "; COMMIT"
	}
	return hint.New(&PublicationError{Publication: publication, Reason: reason, Mend: mend}, advice)
}

// addAgain returns the SQL that rids a table's entry of what restricts it. It makes another entry of it, which a state
// that has been begun takes for a gap.
func addAgain(publication string, t *Table, lists bool) []string {
	alter := "ALTER PUBLICATION " + quoteIdent(publication)
	return []string{alter + " DROP TABLE " + t.only(), alter + " ADD TABLE " + tableList([]Table{*t}, lists)}
}
