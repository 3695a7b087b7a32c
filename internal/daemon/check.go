package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"bluetap/capture"
	"bluetap/internal/config"
	"bluetap/internal/control"
	"bluetap/internal/finding"
	"bluetap/internal/hint"
	"bluetap/internal/store"
	"bluetap/mapping"
)

// checkTimeout bounds a look at everything.
const checkTimeout = time.Minute

// Check looks at all that Run would meet, state and database, and changes nothing. It returns a finding or more of
// everything that it looked at, in the order of finding.Codes. The file itself, which has been loaded, has none. An
// error is the cause of ctx's end.
func Check(ctx context.Context, o Options) ([]finding.Finding, error) {
	bounded, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	c := &checker{Options: o}
	c.directory()
	c.state(bounded)
	c.database(bounded)
	finding.Sort(c.found)
	return c.found, context.Cause(ctx)
}

// checker is one Check.
type checker struct {
	Options
	found []finding.Finding
	kept  lookup
}

func (c *checker) add(f finding.Finding) { c.found = append(c.found, f) }

// fail adds an error, with the advice that it carries.
func (c *checker) fail(code finding.Code, err error) {
	c.add(finding.Fail(code, err.Error(), hint.Of(err)))
}

func (c *checker) directory() {
	dir := c.Config.State.Dir
	above, err := usable(dir)
	if err != nil {
		c.add(finding.Fail(finding.StateDir, err.Error(),
			"give it to bluetap's user, or name under state.dir a folder in it, or another one"))
		return
	}
	if info, err := os.Stat(dir); err == nil {
		if err := checkOurs(dir, info); err != nil {
			c.fail(finding.StateDir, err)
			return
		}
	}
	text := dir + " can be used"
	if above != dir {
		text = dir + " does not exist yet and can be made"
	}
	c.add(finding.Passed(finding.StateDir, text))
}

// state looks at the state, and frees it again.
func (c *checker) state(ctx context.Context) {
	var err error
	c.kept, err = lookAt(ctx, c.Config.State.Dir)
	if err == nil {
		err = c.kept.close()
	}
	switch {
	case err != nil:
		c.fail(finding.State, err)
	case c.kept.kind == capture.StateRunning:
		c.daemon(ctx)
	case c.kept.kind == capture.StateMaking:
		c.add(finding.Passed(finding.State, "a first start was cut short; the next run begins anew"))
	case c.kept.kind == capture.StateNone:
		c.add(finding.Passed(finding.State, "there is no state yet: the first run makes slot and mirror"))
	}
	if err == nil && c.kept.kind != capture.StateRunning {
		c.add(finding.Passed(finding.Daemon, "no daemon runs on the state"))
	}
}

// daemon tells of the one that runs.
func (c *checker) daemon(ctx context.Context) {
	status, err := control.AskStatus(ctx, c.Config.State.Dir)
	text := "a daemon runs and does not stream"
	switch {
	case err != nil:
		c.fail(finding.Daemon, err)
		return
	case status.Source.Connected:
		c.add(finding.Passed(finding.Daemon, "a daemon runs, and streams database "+status.Source.Database))
		return
	case status.Source.LastError != "":
		text += ": " + status.Source.LastError
	}
	c.add(finding.Warn(finding.Daemon, text, "bluetap status --config FILE"))
}

func (c *checker) database(ctx context.Context) {
	source := sourceOf(c.Options)
	source.Brief = true
	in := capture.Inspection{State: c.kept.kind, Made: c.kept.kept.made()}
	catalog, catalogErr := capture.Tables(ctx, source)
	var model *mapping.Model
	if catalogErr == nil {
		model, in.Tables = c.tables(catalog)
	}
	if c.kept.kept.State.Snapshot == store.SnapshotReady {
		in.Start = c.kept.kept.start(in.Tables)
		c.begun(ctx, source, model)
	}
	server := capture.Inspect(ctx, source, in)
	c.found = append(c.found, server...)
	if catalogErr != nil && finding.Count(server, finding.Error) == 0 {
		c.fail(finding.Tables, catalogErr)
	}
	if len(in.Tables) > 0 {
		c.room(ctx, source, in.Tables)
		c.webhooks(ctx, source, model)
	}
}

// tables resolves Blue's tables. The model is nil where that fails.
func (c *checker) tables(catalog []capture.Table) (*mapping.Model, []capture.Table) {
	model, warnings, err := mapping.Resolve(catalog, overrides(c.Config.Database.Tables))
	if err != nil {
		c.fail(finding.Tables, err)
		return nil, nil
	}
	for _, w := range warnings {
		c.add(finding.Warn(finding.Tables, w, ""))
	}
	found, err := model.Found()
	if err == nil && len(found) == 0 {
		err = noTables(c.Config.Database.Schema)
	}
	if err != nil {
		c.fail(finding.Tables, err)
		return nil, nil
	}
	tables := make([]capture.Table, len(found))
	for i, f := range found {
		tables[i] = f.Table
		text := fmt.Sprintf("it is entity %s, with %d columns", f.Entity, len(f.Table.Columns))
		if len(f.LeftOut) > 0 {
			text += "; left out: " + strings.Join(f.LeftOut, ", ")
		}
		c.add(finding.Passed(finding.Tables, text).About(f.Table.Name))
	}
	return model, tables
}

// begun compares the state with the config and the database. The model is nil where the tables are not known.
func (c *checker) begun(ctx context.Context, source capture.Config, model *mapping.Model) {
	state := c.kept.kept.State
	faults := []error{sameNames(state.Source, source)}
	if model != nil {
		faults = append(faults, checkKeys(state, model))
	}
	now, err := capture.Identify(ctx, source)
	if err == nil {
		faults = append(faults, capture.CheckSource(now, identityOf(state.Source)))
	}
	sound := true
	for _, fault := range faults {
		if fault != nil {
			sound = false
			c.fail(finding.State, fault)
		}
	}
	switch {
	case err != nil: // of the connection, which Inspect says better
		c.add(finding.Warn(finding.State, "whether the state is of this database cannot be seen", ""))
	case sound:
		c.add(finding.Passed(finding.State, "the state is of this database, up to "+
			capture.LSN(c.kept.kept.Applied).String()))
	}
}

// room compares the tables with what is free for a mirror that has not been made yet.
func (c *checker) room(ctx context.Context, source capture.Config, tables []capture.Table) {
	needed, err := capture.StoredBytes(ctx, source, tables)
	var free int64
	if err == nil {
		free, err = freeBytes(c.Config.State.Dir)
	}
	if err != nil {
		c.add(finding.Warn(finding.Disk, "cannot be looked at: "+err.Error(), ""))
		return
	}
	c.add(judgeRoom(needed, free, c.kept.kept.State.Snapshot == store.SnapshotReady))
}

// noRoom is what a start writes, and littleRoom what a burst of changes fills, in bytes.
const (
	noRoom     = 1 << 20
	littleRoom = 256 << 20
)

func judgeRoom(needed, free int64, mirrored bool) finding.Finding {
	text := fmt.Sprintf("the tables have %s, and %s are free for the mirror and the queues", capture.Size(needed),
		capture.Size(free))
	switch {
	case free < noRoom:
		return finding.Fail(finding.Disk, text, "free space on the disk of state.dir")
	case free < littleRoom || !mirrored && free < needed:
		return finding.Warn(finding.Disk, text, "free space on the disk of state.dir, or set state.dir to one with more room")
	}
	return finding.Passed(finding.Disk, text)
}

// webhooks looks at what they ask of this database.
func (c *checker) webhooks(ctx context.Context, source capture.Config, model *mapping.Model) {
	var faults *config.Faults
	err := checkSubscriptions(c.Config, model)
	switch {
	case errors.As(err, &faults):
		for _, f := range faults.List {
			c.add(finding.Fail(finding.Webhooks, f.What, "").About(fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Path)))
		}
	case err != nil:
		c.fail(finding.Webhooks, err)
	default:
		c.add(finding.Passed(finding.Webhooks, "the database has what every webhook asks for"))
	}
	company, ok := model.Table(mapping.Company)
	if !ok {
		return
	}
	if slices.ContainsFunc(c.found, func(f finding.Finding) bool {
		return f.Code == finding.Privileges && f.Severity == finding.Error
	}) {
		return // it cannot be read, which has been said
	}
	several, err := capture.AtMost(ctx, source, company, 2)
	if err != nil {
		c.add(finding.Warn(finding.Companies, "cannot be looked at: "+err.Error(), ""))
		return
	}
	before := len(c.found)
	for _, w := range c.Config.Webhooks {
		if several > 1 && w.Enabled && len(w.CompanyIDs)+len(w.ProjectIDs) == 0 && !w.RequireMembership {
			c.add(finding.Warn(finding.Companies, "it gets the events of all companies, of which the database has several",
				"set companyIds, projectIds or requireMembership, unless that is meant").About(w.ID))
		}
	}
	if len(c.found) == before {
		c.add(finding.Passed(finding.Companies, "no webhook gets the events of several companies by accident"))
	}
}
