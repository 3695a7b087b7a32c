package mapping

import (
	"cmp"
	"slices"
	"time"
)

// Filter is what a webhook asks of an event's record: Blue's own record filter, by its own keys. The values of a key
// are alternatives; all keys must hold. A record that is not there, such as the todo of a comment on a discussion,
// matches no filter but the zero one.
type Filter struct {
	Match  string               // current, previous, startsMatching or stopsMatching; "": current
	Lists  map[string][]string  // todoIds and the other keys that hold a list
	Flags  map[string]bool      // done and the other keys that are true or false
	Times  map[string]time.Time // dueStart, dueEnd, createdStart, createdEnd; inclusive
	Texts  map[string]string    // search, recordName
	Fields []FieldTest          // all must hold
}

// FieldTest is a condition on the todo's value in a custom field.
type FieldTest struct {
	CustomFieldID string
	Op            string   // EQ NE GT GTE LT LTE IN NIN CONTAINS NOT_CONTAINS IS NOT
	Values        []string // for IS and NOT true or false; empty: null
}

// FilterEvents returns, by key of a filter, the event types that it can be asked of: those of a todo and of what hangs
// on one. What tells of a list can be asked of the list itself. GapEvent may be wanted beside all of them.
func FilterEvents() map[string][]string {
	ofTodo, ofList := []string{}, []string{}
	for _, table := range eventTables() {
		for _, r := range table {
			todo := recordEntity(r.entity) == Todo
			if todo && !slices.Contains(ofTodo, r.event) {
				ofTodo = append(ofTodo, r.event)
			}
			if (todo || r.entity == TodoList) && !slices.Contains(ofList, r.event) {
				ofList = append(ofList, r.event)
			}
		}
	}
	ofTodo, ofList = append(ofTodo, GapEvent), append(ofList, GapEvent)
	events := map[string][]string{"fields": ofTodo}
	for _, k := range filterKeys {
		if events[k.name] = ofTodo; k.ofList {
			events[k.name] = ofList
		}
	}
	return events
}

// recordEntity returns the end of an entity's chain.
func recordEntity(e Entity) Entity {
	for {
		next, ok := recordChain[e]
		if !ok {
			return e
		}
		e = next.entity
	}
}

// test is one condition of a filter. It is only asked of a subject that is there.
type test struct {
	cost   int // rows to read, roughly: the cheap ones are asked first
	ofList bool
	holds  func(s *subject) (bool, error)
}

// filter is a compiled Filter.
type filter struct {
	match match
	tests []test
}

// compileFilter returns nil for a filter that asks nothing, and refuses what the database has no columns for.
func compileFilter(m *Model, f Filter, refuse func(key, reason string)) *filter {
	compiled := &filter{match: matches[cmp.Or(f.Match, "current")]}
	for _, k := range filterKeys {
		t, given := k.compile(f)
		if !given {
			continue
		}
		refuse("filter."+k.name, m.lacks(k.needs...))
		compiled.tests = append(compiled.tests, test{k.cost, k.ofList, t})
	}
	if len(f.Fields) > 0 {
		refuse("filter.fields", m.lacks(need{TodoCustomField, "todoId"}, need{TodoCustomField, "customFieldId"}))
	}
	for _, field := range f.Fields {
		compiled.tests = append(compiled.tests, test{cost: costFields, holds: compileField(field)})
	}
	if len(compiled.tests) == 0 {
		return nil
	}
	slices.SortStableFunc(compiled.tests, func(a, b test) int { return cmp.Compare(a.cost, b.cost) })
	return compiled
}

// wants tells whether the event's record matches, as the filter means it.
func (f *filter) wants(a *asked) (bool, error) {
	if f == nil {
		return true, nil
	}
	return f.match(f, a)
}

// holds tells whether a record matches in one state.
func (f *filter) holds(s *subject) (bool, error) {
	if s.row == nil {
		return false, nil
	}
	list := s.row.shape.entity == TodoList
	for _, t := range f.tests {
		if list && !t.ofList {
			return false, nil
		}
		if ok, err := t.holds(s); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// match is how a filter is asked of the two states of a record.
type match func(f *filter, a *asked) (bool, error)

// matches holds the values of a filter's match. Starting and stopping are of the record and not of the event: a comment
// on a todo that matches before and after starts nothing.
var matches = map[string]match{
	"current":        matchesIn((*asked).current),
	"previous":       matchesIn((*asked).asBefore),
	"startsMatching": matchesOnlyIn((*asked).asAfter, (*asked).asBefore),
	"stopsMatching":  matchesOnlyIn((*asked).asBefore, (*asked).asAfter),
}

func matchesIn(record func(a *asked) (*subject, error)) match {
	return func(f *filter, a *asked) (bool, error) {
		s, err := record(a)
		if err != nil {
			return false, err
		}
		return f.holds(s)
	}
}

// matchesOnlyIn asks both states about one record, the one that the event belongs to here, and a record that is
// soft-deleted is there in neither.
func matchesOnlyIn(here, there func(a *asked) (*subject, error)) match {
	return func(f *filter, a *asked) (bool, error) {
		s, err := here(a)
		if err != nil || s.row.live() == nil {
			return false, err
		}
		if ok, err := f.holds(s); !ok || err != nil {
			return false, err
		}
		other, err := there(a)
		if err != nil {
			return false, err
		}
		if other.row == nil || other.row.id() != s.row.id() || other.row.shape.entity != s.row.shape.entity {
			row, err := other.state.byID(s.row.shape.entity, s.row.id())
			if err != nil {
				return false, err
			}
			other = &subject{state: other.state, row: row}
		}
		if other.row.live() == nil {
			return true, nil
		}
		ok, err := f.holds(other)
		return !ok, err
	}
}
