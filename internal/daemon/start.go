package daemon

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"bluetap/capture"
	"bluetap/internal/hint"
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
	db := d.Config.Database
	return capture.Config{URL: db.URL.Reveal(), Schema: db.Schema, Slot: db.Slot, Publication: db.Publication,
		SpillDir: filepath.Join(d.Config.State.Dir, "spill"), Log: d.Log}
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
	model, warnings, err := mapping.Resolve(catalog, overrides(d.Config.Database.Tables))
	if err != nil {
		return nil, fmt.Errorf("find tables in schema %s: %w", source.Schema, err)
	}
	for _, w := range warnings {
		d.Log.Warn("tables", "warning", w)
	}
	tables, err := model.Tables()
	if err != nil {
		return nil, err
	}
	if len(tables) == 0 {
		return nil, hint.New(fmt.Errorf("schema %s of the database has none of Blue's tables", source.Schema),
			"check database.url and database.schema, or name the tables under database.tables")
	}
	if err := d.checkSubscriptions(model); err != nil {
		return nil, err
	}
	return model, d.untilReachable(ctx, func() error { return capture.EnsurePublication(ctx, source, tables) })
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
