//go:build unix

package soak

import (
	"fmt"
	"reflect"
)

// place names a row.
type place struct{ table, id string }

// reference is a value of a column that rows of a table hold.
type reference struct{ table, column, value string }

// world is all rows after some commit.
type world struct {
	rows       map[string]map[string]row
	references map[reference]map[string]bool // to ids
}

func newWorld() *world {
	return &world{rows: map[string]map[string]row{}, references: map[reference]map[string]bool{}}
}

// set puts a row in its place; nil takes it away.
func (w *world) set(at place, to row) {
	if w.rows[at.table] == nil {
		w.rows[at.table] = map[string]row{}
	}
	for _, column := range foreignKeys[at.table] {
		if was := w.rows[at.table][at.id].text(column); was != "" {
			delete(w.references[reference{at.table, column, was}], at.id)
			if len(w.references[reference{at.table, column, was}]) == 0 {
				delete(w.references, reference{at.table, column, was})
			}
		}
		if is := to.text(column); is != "" {
			r := reference{at.table, column, is}
			if w.references[r] == nil {
				w.references[r] = map[string]bool{}
			}
			w.references[r][at.id] = true
		}
	}
	if to == nil {
		delete(w.rows[at.table], at.id)
		return
	}
	w.rows[at.table][at.id] = to
}

// step is one transaction: what it changed, and the world after it.
type step struct {
	*commit
	world  *world
	was    map[place]row // the rows that it touched, as they were before; nil for those that it made
	order  []place       // the same, by first touch
	hadRef map[reference][]string
}

// apply takes the world one transaction further. An error says that the audit contradicts itself.
func (w *world) apply(c *commit) (*step, error) {
	s := &step{commit: c, world: w, was: map[place]row{}, hadRef: map[reference][]string{}}
	for _, ch := range c.changes {
		if err := s.take(ch); err != nil {
			return nil, fmt.Errorf("commit %X: %w", c.end, err)
		}
	}
	for at, was := range s.was {
		for _, column := range foreignKeys[at.table] {
			if value := was.text(column); value != "" {
				r := reference{at.table, column, value}
				s.hadRef[r] = append(s.hadRef[r], at.id)
			}
		}
	}
	return s, nil
}

func (s *step) take(c change) error {
	if c.op == 'T' {
		for id := range s.world.rows[c.table] {
			s.set(place{c.table, id}, nil)
		}
		return nil
	}
	if c.old != nil {
		at := place{c.table, c.old.id()}
		if !reflect.DeepEqual(s.world.rows[c.table][at.id], c.old) {
			return fmt.Errorf("%s %s is not what the audit said of it before", c.table, at.id)
		}
		if c.new == nil || c.new.id() != at.id {
			s.set(at, nil)
		}
	}
	if c.new == nil {
		return nil
	}
	at := place{c.table, c.new.id()}
	if c.old == nil && s.world.rows[c.table][at.id] != nil {
		return fmt.Errorf("%s %s is inserted a second time", c.table, at.id)
	}
	s.set(at, c.new)
	return nil
}

func (s *step) set(at place, to row) {
	if _, touched := s.was[at]; !touched {
		s.was[at] = s.world.rows[at.table][at.id]
		s.order = append(s.order, at)
	}
	s.world.set(at, to)
}

// view is the world on one side of a transaction. It is valid until the next one is applied.
type view struct {
	step   *step
	before bool
}

func (s *step) views() (before, after view) { return view{s, true}, view{s, false} }

// get returns a row, nil if there is none.
func (v view) get(table, id string) row {
	if v.before {
		if was, touched := v.step.was[place{table, id}]; touched {
			return was
		}
	}
	return v.step.world.rows[table][id]
}

// live is get for a row that is not marked as deleted.
func (v view) live(table, id string) row {
	r := v.get(table, id)
	if r["deleted_at"] != nil {
		return nil
	}
	return r
}

// children returns the rows of a table that hold the value in the column, in no order.
func (v view) children(table, column, value string) []row {
	var found []row
	r := reference{table, column, value}
	for id := range v.step.world.references[r] {
		if v.before {
			if _, touched := v.step.was[place{table, id}]; touched {
				continue
			}
		}
		found = append(found, v.step.world.rows[table][id])
	}
	if v.before {
		for _, id := range v.step.hadRef[r] {
			found = append(found, v.step.was[place{table, id}])
		}
	}
	return found
}
