package daemon

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"bluetap/capture"
	"bluetap/internal/config"
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
	source.Room = d.room.received
	return source
}

// sourceOf is where the config says that Blue's tables are.
func sourceOf(o Options) capture.Config {
	db := o.Config.Database
	return capture.Config{URL: db.URL.Reveal(), Schema: db.Schema, Slot: db.Slot, Publication: db.Publication, Log: o.Log}
}

// findTables resolves Blue's tables against the catalog and makes sure that the publication holds them.
func (d *daemon) findTables(ctx context.Context, source capture.Config) (*mapping.Model, error) {
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
	return model, d.anew(d.untilReachable(ctx, func() error { return publication(ctx, source, tables) }))
}

// anew adds to the advice of a publication that has to be mended what comes after it, where the mirror has missed what
// it did not publish.
func (d *daemon) anew(err error) error {
	var unfit *capture.PublicationError
	if !errors.As(err, &unfit) || unfit.Mend == nil || d.store.State().Snapshot != store.SnapshotReady {
		return err
	}
	return hint.New(err, hint.Of(err)+"; as changes were missed, also "+
		fmt.Sprintf(startAnew, d.store.State().Source.SlotName))
}

// resolve finds Blue's tables in the catalog, of which there must be one at least, and logs what is left out.
func resolve(o Options, catalog []capture.Table) (*mapping.Model, []capture.Table, error) {
	schema := o.Config.Database.Schema
	model, warnings, err := mapping.Resolve(catalog, overrides(o.Config.Database.Tables))
	var wrong *mapping.TableError
	if errors.As(err, &wrong) {
		return nil, nil, config.NewFaults([]config.Fault{o.Config.Database.Fault("tables."+wrong.Key, wrong.Reason)})
	}
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
		if err == nil || errors.Is(err, store.ErrFailed) || !capture.Retryable(err) {
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
