package daemon

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"bluetap/capture"
	"bluetap/internal/hint"
	"bluetap/internal/store"
	"bluetap/mapping"
)

// The pauses between attempts to reach the server at the start.
const (
	firstRetry = 500 * time.Millisecond
	maxRetry   = 10 * time.Second
	repeatLog  = time.Minute
)

// source is the stream's configuration. What a transaction spills goes into the state directory: it is as private as
// the state, and on a disk that is sized for it.
func (d *daemon) source() capture.Config {
	source := sourceOf(d.Options)
	source.SpillDir = filepath.Join(d.Config.State.Dir, "spill")
	return source
}

// sourceOf is where the config says that Blue's tables are.
func sourceOf(o Options) capture.Config {
	db := o.Config.Database
	return capture.Config{URL: db.URL.Reveal(), Schema: db.Schema, Slot: db.Slot, Publication: db.Publication, Log: o.Log}
}

// findTables resolves Blue's tables against the catalog and makes sure that the publication holds them.
func (d *daemon) findTables(ctx context.Context, source capture.Config) (*mapping.Model, error) {
	if err := os.MkdirAll(source.SpillDir, 0o700); err != nil {
		return nil, fmt.Errorf("make spill directory: %w", err)
	}
	var catalog []capture.Table
	err := d.untilReachable(ctx, func() (err error) {
		catalog, err = capture.Tables(ctx, source)
		return err
	})
	if err != nil {
		return nil, err
	}
	model, tables, err := resolve(d.Options, catalog)
	if err != nil {
		return nil, err
	}
	if err := checkSubscriptions(d.Config, model); err != nil {
		return nil, err
	}
	publication := capture.EnsurePublication
	if d.store.State().Snapshot == store.SnapshotReady {
		publication = capture.CheckPublication
	}
	return model, d.untilReachable(ctx, func() error { return publication(ctx, source, tables) })
}

// resolve finds Blue's tables in the catalog, of which there must be one at least, and logs what is left out.
func resolve(o Options, catalog []capture.Table) (*mapping.Model, []capture.Table, error) {
	schema := o.Config.Database.Schema
	model, warnings, err := mapping.Resolve(catalog, overrides(o.Config.Database.Tables))
	if err != nil {
		return nil, nil, fmt.Errorf("find tables in schema %s: %w", schema, err)
	}
	for _, w := range warnings {
		o.Log.Warn("tables", "warning", w)
	}
	tables, err := model.Tables()
	if err != nil {
		return nil, nil, err
	}
	if len(tables) == 0 {
		return nil, nil, noTables(schema)
	}
	return model, tables, nil
}

func noTables(schema string) error {
	return hint.New(fmt.Errorf("schema %s of the database has none of Blue's tables", schema),
		"check database.url and database.schema, or name the tables under database.tables")
}

func (d *daemon) shapes(model *mapping.Model) (*mapping.Shapes, error) {
	records, err := d.store.Shapes()
	if err != nil {
		return nil, err
	}
	return mapping.LoadShapes(model, records, d.store.SaveShape)
}

// untilReachable retries for ever what fails because the server cannot be reached or has no room just now. What only
// a person can mend is returned.
func (d *daemon) untilReachable(ctx context.Context, attempt func() error) error {
	pause, logged := firstRetry, time.Time{}
	for {
		err := attempt()
		if err != nil && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil || !capture.Retryable(err) {
			return err
		}
		if time.Since(logged) >= repeatLog {
			d.Log.Warn("waiting for the database", "err", err)
			logged = time.Now()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
		pause = min(2*pause, maxRetry)
	}
}
