package daemon

import (
	"context"

	"bluetap/capture"
)

// Setup makes the publication that Run reads, with column lists where the server has them, and tries the role's rights.
// It touches no slot and no state. It returns the tables whose other columns an older publication sends all the same.
// What the role may not do is an error with the SQL for somebody who may.
func Setup(ctx context.Context, o Options) (whole []string, err error) {
	tables, err := blueTables(ctx, o)
	if err != nil {
		return nil, err
	}
	return capture.Setup(ctx, sourceOf(o), tables)
}

// SetupSQL returns, without changing anything, the statements for a DBA that give the role of the config's database URL
// the rights that Run needs and no more, and make or mend the publication.
func SetupSQL(ctx context.Context, o Options) ([]string, error) {
	tables, err := blueTables(ctx, o)
	if err != nil {
		return nil, err
	}
	return capture.SetupSQL(ctx, sourceOf(o), tables)
}

func blueTables(ctx context.Context, o Options) ([]capture.Table, error) {
	catalog, err := capture.Tables(ctx, sourceOf(o))
	if err != nil {
		return nil, err
	}
	_, tables, err := resolve(o, catalog)
	return tables, err
}
