package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// privileges tries to read each table, and asks the server of those that it may not read what stands in the way.
func (i *inspector) privileges(ctx context.Context) error {
	var hidden, refused []Table
	for k := range i.Tables {
		t := &i.Tables[k]
		err := tryRead(ctx, i.conn, t)
		switch {
		case err == nil:
			continue
		case sqlState(err) == stateLockNotAvailable:
			i.add(finding.Warn(finding.Privileges, "it is locked, and cannot be looked at; try again", "").About(t.Name))
			continue
		case sqlState(err) != stateInsufficientRights:
			return err
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

// publishable returns the tables that may be published: those that may not, identities has told of, and no mend may
// publish them.
func (i *inspector) publishable() []Table {
	return slices.DeleteFunc(slices.Clone(i.Tables), func(t Table) bool { return t.Unpublishable != "" })
}

// publication looks at the one that is there, or tries to make it.
func (i *inspector) publication(ctx context.Context) error {
	tables := i.publishable()
	if len(tables) == 0 {
		return nil
	}
	found, err := publicationExists(ctx, i.conn, i.cfg)
	if err != nil {
		return err
	}
	if !found && !i.begun() {
		return i.tryPublication(ctx, tables)
	}
	n := wholeTables
	if i.begun() {
		n = asItIs
	}
	entries, faults, err := publicationFaults(ctx, i.conn, i.cfg, tables, n)
	if err != nil {
		return err
	}
	for _, fault := range faults {
		text := fault.Error()
		if i.begun() {
			text += "; the state has to be begun anew after the mend, as it lacks what was not sent"
		}
		i.add(finding.Fail(finding.Publication, text, hint.Of(fault)))
	}
	if len(faults) > 0 {
		return nil
	}
	if err := i.continued(entries, tables); err != nil {
		return nil //nolint:nilerr // it is a finding
	}
	i.add(finding.Passed(finding.Publication, fmt.Sprintf("publication %s sends the %d tables", i.cfg.Publication,
		len(tables))))
	return i.columnLists(ctx)
}

// continued adds a table that was taken out of the publication and put back since the state was begun.
func (i *inspector) continued(entries map[uint32]uint32, tables []Table) error {
	if !i.begun() {
		return nil
	}
	err := compareMembership(i.cfg.Slot, tables, i.Start.Membership, entries, i.Start.Position)
	if err != nil {
		i.add(finding.Fail(finding.Publication, err.Error(), hint.Of(err)))
	}
	return err
}

// tryPublication makes the publication and rolls it back.
func (i *inspector) tryPublication(ctx context.Context, tables []Table) error {
	name := "publication " + i.cfg.Publication
	_, err := query(ctx, i.conn, "BEGIN; "+PublicationSQL(i.cfg, tables, hasLists(i.conn)))
	if _, rollbackErr := query(ctx, i.conn, "ROLLBACK"); rollbackErr != nil {
		return errors.Join(err, rollbackErr)
	}
	switch state := sqlState(err); {
	case err == nil:
		i.add(finding.Passed(finding.Publication, name+" does not exist yet; the role may make it, with bluetap setup"))
	case state == stateInsufficientRights:
		i.add(finding.Fail(finding.Publication, name+" does not exist, and the role may not make it: "+serverMessage(err),
			runPrinted))
	case state == "" || state == stateLockNotAvailable || Retryable(err):
		return err
	default:
		i.add(finding.Fail(finding.Publication, name+" does not exist, and cannot be made: "+serverMessage(err), ""))
	}
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
		next := "" // a state that has been begun would have a gap
		if !i.begun() {
			next = "set database.publication to a new name; bluetap setup then makes one that keeps them on the server"
		}
		i.add(finding.Warn(finding.ColumnList, "columns of "+strings.Join(names, ", ")+
			" that are not sent are published, and dropped only as they arrive", next))
	}
	for k := range i.Tables {
		t := &i.Tables[k]
		if lacking := t.lacking(members[t.OID].columns); len(lacking) > 0 && i.begun() {
			i.add(finding.Warn(finding.ColumnList, "the publication's column list lacks "+strings.Join(lacking, ", ")+
				", which are left out", "").About(t.Name))
		}
	}
	return nil
}
