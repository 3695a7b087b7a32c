package mapping

import (
	"fmt"
	"iter"

	"bluetap/capture"
	"bluetap/internal/store"
)

// Mapper turns transactions into net changes and net changes into events. It is for one goroutine.
type Mapper struct {
	model    *Model
	shapes   *Shapes
	bindings map[uint32]*binding // by relation OID
	rules    [ProjectUser + 1][]rule
	most     int // fewRows, but in tests
	window   int // windowSize, but in tests

	// Divergences counts, by table, what the stream said of a row that the mirror did not know as the stream did:
	// an UPDATE or DELETE of an unknown row, an INSERT of a known one, an unchanged column without a mirrored value.
	Divergences map[string]int
}

// NewMapper returns a mapper over the model and the shapes of the mirror's rows.
func NewMapper(model *Model, shapes *Shapes) *Mapper {
	m := &Mapper{model: model, shapes: shapes, bindings: map[uint32]*binding{}, Divergences: map[string]int{},
		most: fewRows, window: windowSize}
	for e := range definitions {
		entity := definitions[e].entity
		for _, r := range rulesOn(entity) {
			if model.Has(r.entity) {
				m.rules[entity] = append(m.rules[entity], r)
			}
		}
	}
	return m
}

// binding is how a relation's columns become a mirrored row.
type binding struct {
	relation *capture.Relation
	table    *table // nil: none of Blue's tables
	layout   *layout
	shape    *shape
}

// bind returns the relation's binding, which is made anew when the stream describes the table anew.
func (m *Mapper) bind(r *capture.Relation) (*binding, error) {
	if b := m.bindings[r.OID]; b != nil && b.relation == r {
		return b, nil
	}
	b := &binding{relation: r, table: m.model.ofRelation(r)}
	if b.table != nil {
		var err error
		if b.layout, err = b.table.layout(r.Columns); err != nil {
			return nil, err
		}
		if b.shape, err = m.shapes.of(b.table.def.entity, b.layout); err != nil {
			return nil, err
		}
	}
	m.bindings[r.OID] = b
	return b, nil
}

// Map yields the events of a set of net changes, in the changes' order and for one row in the order of the event
// table. It reads nothing but the two views, which may lie on disk. It may have taken changes beyond the one whose
// events it yields: mapped is called for each once its events have been. An error, also from mapped, ends the
// iteration. An event may be read until the next one is asked for.
func (m *Mapper) Map(before View, after Changed, changes iter.Seq2[store.Change, error], mapped func(Entity) error,
) iter.Seq2[*Event, error] {
	s := states{
		before:  state{view: before, model: m.model, shapes: m.shapes},
		after:   state{view: after, model: m.model, shapes: m.shapes},
		touches: func(e Entity) bool { return after.Touches(uint8(e)) },
		memo:    newMemo(),
		most:    m.most,
		batch:   max(1, m.window/windowEntry),
	}
	return func(yield func(*Event, error) bool) {
		s.window = &window{states: s, budget: m.window}
		for net, err := range changes {
			if err != nil {
				yield(nil, fmt.Errorf("read net changes: %w", err))
				return
			}
			c, err := m.change(net)
			if err != nil {
				yield(nil, err)
				return
			}
			if s.window.add(c) && !m.mapWindow(s, mapped, yield) {
				return
			}
		}
		m.mapWindow(s, mapped, yield)
	}
}

// mapWindow yields the events of the changes gathered, and returns false when the iteration is over.
func (m *Mapper) mapWindow(s states, mapped func(Entity) error, yield func(*Event, error) bool) bool {
	for _, c := range s.window.changes {
		if !m.mapChange(s, c, yield) {
			return false
		}
		if err := mapped(c.entity); err != nil {
			yield(nil, err)
			return false
		}
	}
	s.window.clear()
	return true
}

func (m *Mapper) change(net store.Change) (change, error) {
	c := change{entity: Entity(net.Table), key: net.Key}
	for _, side := range []struct {
		row *store.Row
		to  **Row
	}{{net.Before, &c.before}, {net.After, &c.after}} {
		if side.row == nil {
			continue
		}
		row, err := m.shapes.decode(net.Key, side.row.Value)
		if err != nil {
			return change{}, fmt.Errorf("decode %s: %w", c.entity, err)
		}
		*side.to = row
	}
	deletedBefore, deletedAfter := c.before.deleted(), c.after.deleted()
	switch { // a column that came or went is no deletion and no creation
	case c.before == nil || c.after == nil:
	case c.before.cell(deletedAt).kind == cellAbsent:
		deletedBefore = deletedAfter
	case c.after.cell(deletedAt).kind == cellAbsent:
		deletedAfter = deletedBefore
	}
	if deletedBefore {
		c.before = nil
	}
	if deletedAfter {
		c.after = nil
	}
	return c, nil
}

// mapChange yields the events of one row and returns false when the iteration is over.
func (m *Mapper) mapChange(s states, c change, yield func(*Event, error) bool) bool {
	for _, r := range m.rules[c.entity] {
		fired, err := r.fires(s, c)
		if err != nil {
			yield(nil, fmt.Errorf("apply rule of %s: %w", r.event, err))
			return false
		}
		for _, f := range fired {
			e, err := m.event(s, c, r, f)
			if err != nil {
				yield(nil, err)
				return false
			}
			if e != nil && !yield(e, nil) {
				return false
			}
		}
	}
	return true
}

// event makes the event of a firing. For a rule about a relation it is nil when the owner is not on both sides: what
// comes and goes with its owner is told by the owner's own event.
func (m *Mapper) event(s states, c change, r rule, f firing) (*Event, error) {
	e := &Event{Type: r.event, Entity: r.entity, Key: c.key, Pair: f.pair, On: r.on, before: s.before, after: s.after,
		previous: c.before, current: c.after}
	if r.entity == r.on {
		return e, nil
	}
	var err error
	if e.previous, err = s.before.byID(r.entity, f.subject); err != nil {
		return nil, err
	}
	if e.current, err = s.after.byID(r.entity, f.subject); err != nil {
		return nil, err
	}
	if e.previous.live() == nil || e.current.live() == nil || e.previous.key != e.current.key {
		return nil, nil
	}
	e.Key = e.current.key
	return e, nil
}
