package capture

import (
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// majorFullGenerated is the server version from which UPDATE and DELETE of a published table with REPLICA IDENTITY
// FULL fail when a generated column is not published.
const majorFullGenerated = 18

// whyNot says why the table must not be published and what mends it, or "". late is what of an ALTER TABLE makes its
// deferrable primary key another one, or "".
func (t *Table) whyNot(unlogged bool, oddLeaves int64, serverMajor int, late string) (why, mend string) {
	alter := "ALTER TABLE " + t.sql()
	generatedKey := slices.ContainsFunc(t.Key, func(k string) bool { return slices.Contains(t.Generated, k) })
	switch {
	case unlogged:
		return "it is unlogged, so its changes are not in the log (SET LOGGED writes it anew, under a lock)",
			alter + " SET LOGGED"
	case t.Identity == IdentityNothing:
		return "its replica identity is NOTHING", alter + " REPLICA IDENTITY DEFAULT"
	case len(t.Key) == 0 && late != "":
		return "its primary key is deferrable, which is no replica identity", alter + " " + late
	case len(t.Key) == 0 && t.Identity == IdentityFull:
		return "it has no primary key", alter + " ADD PRIMARY KEY (…)"
	case len(t.Key) == 0:
		return "it has no replica identity", alter +
			" ADD PRIMARY KEY (…), or REPLICA IDENTITY USING INDEX with a unique index of NOT NULL columns"
	case generatedKey:
		return "its key holds a generated column, which is not published", alter +
			" REPLICA IDENTITY USING INDEX with an index of other columns"
	case t.Identity == IdentityFull && len(t.Generated) > 0 && serverMajor >= majorFullGenerated:
		return "REPLICA IDENTITY FULL with the generated column " + quoteIdent(t.Generated[0]) +
			" would make its UPDATEs fail", alter + " REPLICA IDENTITY DEFAULT"
	case oddLeaves > 0:
		return "some of its partitions are unlogged, or have another replica identity than it, or none",
			"ALTER TABLE each of them SET LOGGED, and ADD PRIMARY KEY or REPLICA IDENTITY as " + t.sql() + " has it"
	}
	return "", ""
}

// major returns the server's major version as it writes it, e.g. "15".
func major(conn *pgconn.PgConn) string {
	v := conn.ParameterStatus("server_version")
	return v[:len(v)-len(strings.TrimLeft(v, "0123456789"))]
}
