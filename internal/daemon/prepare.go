package daemon

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"bluetap/capture"
	"bluetap/deliver"
	"bluetap/internal/hint"
	"bluetap/internal/store"
	"bluetap/mapping"
)

// parts are what runs together once the mirror is there.
type parts struct {
	pipeline  *pipeline
	stream    *capture.Stream
	limits    *limits
	deliverer *deliver.Deliverer
	watch     func(ctx context.Context) error
}

// prepare brings the state to the point where streaming can begin, and makes the parts.
func (d *daemon) prepare(ctx context.Context) (*parts, error) {
	source := d.source()
	if err := makeSpill(source.SpillDir); err != nil {
		return nil, err
	}
	if err := d.checkSource(ctx, source); err != nil {
		return nil, err
	}
	if err := d.checkFirstStart(ctx, source); err != nil {
		return nil, err
	}
	model, err := d.findTables(ctx, source)
	if err != nil {
		return nil, err
	}
	if err := checkKeys(d.store.State(), model); err != nil {
		return nil, err
	}
	shapes, err := d.shapes(model)
	if err != nil {
		return nil, err
	}
	mapper := mapping.NewMapper(model, shapes)
	if err := d.firstStart(ctx, source, model, mapper); err != nil {
		return nil, err
	}
	if err := d.forgetUnfollowed(model); err != nil {
		return nil, err
	}
	p, err := d.assemble(ctx, source, model, mapper)
	if err != nil {
		return nil, err
	}
	if err := p.deliverer.Peek(); err != nil { // status may come before it runs
		return nil, err
	}
	return p, p.limits.look(ctx) // before anything is taken
}

// forgetUnfollowed keeps that tables of the mirror are not followed from now on, switched off or gone: what the mirror
// has of them grows old, so that a later start must not take it up again.
func (d *daemon) forgetUnfollowed(model *mapping.Model) error {
	state, followed := d.store.State(), model.Keys()
	keys := maps.Clone(state.Keys)
	maps.DeleteFunc(keys, func(entity string, _ []string) bool { return followed[entity] == nil })
	if len(keys) == len(state.Keys) {
		return nil
	}
	state.Keys = keys
	return d.store.SaveState(state)
}

// startAnew is what is left to do where the mirror cannot be continued.
const startAnew = "stop bluetap, move its state directory away, drop its slot (SELECT " +
	"pg_drop_replication_slot('%s')) and start it again: what changed in between is not told"

// checkSource refuses to go on with a mirror of something else, before anything is made in the database.
func (d *daemon) checkSource(ctx context.Context, source capture.Config) error {
	state := d.store.State()
	if state.Snapshot != store.SnapshotReady {
		return nil
	}
	if err := sameNames(state.Source, source); err != nil {
		return err
	}
	var found capture.Identity
	if err := d.untilReachable(ctx, func() (err error) {
		found, err = capture.Identify(ctx, source)
		return err
	}); err != nil {
		return err
	}
	return capture.CheckSource(found, identityOf(state.Source))
}

// sameNames tells whether the config names the slot and the publication of the state.
func sameNames(ours store.Source, source capture.Config) error {
	if ours.SlotName == source.Slot && ours.Publication == source.Publication {
		return nil
	}
	return hint.New(fmt.Errorf("the state belongs to slot %s and publication %s, the config names %s and %s",
		ours.SlotName, ours.Publication, source.Slot, source.Publication),
		fmt.Sprintf("name those of the state, or "+startAnew, ours.SlotName))
}

// checkKeys refuses tables whose rows the mirror does not know by the key that they have now.
func checkKeys(state store.State, model *mapping.Model) error {
	if state.Snapshot != store.SnapshotReady {
		return nil
	}
	keys := model.Keys()
	for _, entity := range slices.Sorted(maps.Keys(keys)) {
		known, mirrored := state.Keys[entity]
		switch {
		case !mirrored:
			return hint.New(fmt.Errorf("the table of entity %s was not followed all the time: the mirror lacks its changes",
				entity), fmt.Sprintf("set database.tables.%s.enabled: false, or "+startAnew, entity, state.Source.SlotName))
		case !model.KeyContinues(entity, known):
			return hint.New(fmt.Errorf("the replica identity of the table of entity %s was (%s) and is (%s)", entity,
				strings.Join(known, ", "), strings.Join(keys[entity], ", ")),
				fmt.Sprintf("change it back, or "+startAnew, state.Source.SlotName))
		}
	}
	return nil
}

// assemble makes the parts. Nothing is started.
func (d *daemon) assemble(ctx context.Context, source capture.Config, model *mapping.Model, mapper *mapping.Mapper,
) (*parts, error) {
	tables, err := model.Tables()
	if err != nil {
		return nil, err
	}
	subscriptions, receivers, err := webhooks(d.store, d.Config.Webhooks, d.Config.Delivery.WhenFull)
	if err != nil {
		return nil, err
	}
	d.store.SetRules(mapping.Fingerprint(model, subscriptions, d.Version))
	failures := newIfFailures(d.Log)
	for _, r := range receivers {
		failures.names[r.Number] = r.ID
	}
	router, err := mapping.NewRouter(model, subscriptions, failures.note)
	if err != nil {
		return nil, fmt.Errorf("compile webhooks: %w", err)
	}
	start, err := d.streamStart(ctx, source, tables, model.Wanted)
	if err != nil {
		return nil, err
	}
	stream, state := capture.NewStream(source, start), d.store.State()
	deliverer := deliver.New(d.store, receivers, deliver.Options{
		MaxInFlight: d.Config.Delivery.MaxInFlight, AllowedNetworks: d.Config.Delivery.AllowedNetworks,
		Bare: mapping.RecordTypes(), Version: d.Version, Log: d.Log})
	d.store.OnSync(func(lsn uint64) { stream.Confirm(capture.LSN(lsn)) })
	d.store.OnQueued(deliverer.Wake)
	limits := d.newLimits(stream)
	d.store.OnQueued(limits.queued)
	return &parts{
		pipeline: &pipeline{stream: stream, mapper: mapper, router: router, ifFailures: failures,
			store: d.store, limits: limits, room: d.room, epoch: state.Epoch, log: d.Log,
			resumed: make(chan struct{})},
		stream: stream, limits: limits, deliverer: deliverer,
		watch: d.watchPublication(source, tables, state.Membership)}, nil
}

// watchEvery is how often the publication is looked at while the stream stands.
const watchEvery = 30 * time.Second

// watchPublication returns a part that ends with an error when a table was taken out of the publication: Postgres does
// not say so, its changes merely stop to come.
func (d *daemon) watchPublication(source capture.Config, tables []capture.Table, known map[uint32]uint32,
) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-ticker.C:
			}
			err := capture.CheckMembership(ctx, source, tables, known)
			if err != nil && ctx.Err() == nil && !capture.Retryable(err) {
				return d.anew(fmt.Errorf("look at publication: %w", err))
			}
		}
	}
}

// newTimeline keeps that the server has gone on with another timeline, which the stream has checked.
func (d *daemon) newTimeline(timeline uint32) error {
	state := d.store.State()
	state.Source.Timeline = timeline
	return d.store.SaveState(state)
}
