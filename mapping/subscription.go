package mapping

import (
	"fmt"
	"slices"
	"strings"
)

// Subscription is what one webhook wants: the events for which all of its conditions hold.
type Subscription struct {
	Webhook    uint32   // the store's number of the webhook
	Events     []string // empty: all of Blue's 37
	CompanyIDs []string // empty: all
	ProjectIDs []string // empty: all
	Member     string   // the id of the user who must be a member of a project that matched; "": nobody need be
	Filter     Filter   // zero: every record
	Changed    []string // fields of which one must differ; creations and deletions pass; empty: none need
	If         string   // an expression as CheckExpression takes it; "": none
}

// types returns the event types that are subscribed.
func (s Subscription) types() []string {
	if len(s.Events) == 0 {
		return EventTypes()
	}
	return s.Events
}

// entities returns the entities that the subscribed events send.
func (s Subscription) entities() []Entity {
	types := s.types()
	var entities []Entity
	for _, table := range eventTables() {
		for _, r := range table {
			if slices.Contains(types, r.event) && !slices.Contains(entities, r.entity) {
				entities = append(entities, r.entity)
			}
		}
	}
	return entities
}

// projectNeeds returns what it takes to find the projects of the subscribed events, of those whose tables there are.
func (s Subscription) projectNeeds(m *Model) []need {
	var needs []need
	for _, e := range s.entities() {
		for m.Has(e) {
			next, ok := projectChain[e]
			if !ok {
				needs = append(needs, need{e, "projectId"})
				break
			}
			needs = append(needs, need{e, next.via}, need{next.entity, ""})
			e = next.entity
		}
	}
	return needs
}

// recordNeeds returns what it takes to find the records of the subscribed events, of those whose tables there are.
func (s Subscription) recordNeeds(m *Model) []need {
	var needs []need
	for _, e := range s.entities() {
		for m.Has(e) {
			next, ok := recordChain[e]
			if !ok {
				break
			}
			needs = append(needs, need{e, next.via}, need{next.entity, ""})
			e = next.entity
		}
	}
	return needs
}

// KeyError says why one condition of a subscription can never be answered in this database.
type KeyError struct {
	Webhook uint32 // the subscription's
	Key     string // as in the config: filter.colors, changed, if
	Reason  string
}

// Error names the key and the reason.
func (e KeyError) Error() string { return e.Key + ": " + e.Reason }

// KeyErrors is the error of NewRouter: all that is wrong, never empty.
type KeyErrors []KeyError

// Error returns what is wrong on one line.
func (e KeyErrors) Error() string {
	texts := make([]string, len(e))
	for i := range e {
		texts[i] = e[i].Error()
	}
	return strings.Join(texts, "; ")
}

// need is a table, or a field of it, that a condition reads.
type need struct {
	entity Entity
	field  string // "": only the table
}

// lacks tells what the database has not of the needs, or "".
func (m *Model) lacks(needs ...need) string {
	for _, n := range needs {
		if !m.Has(n.entity) {
			return fmt.Sprintf("the database has no table for entity %s", n.entity)
		}
		if _, ok := m.column(n.entity, n.field); n.field != "" && !ok {
			return fmt.Sprintf("table %s has no column for %s", m.tables[n.entity].source.Name, n.field)
		}
	}
	return ""
}

// column returns the field of an entity's table as the catalog had it.
func (m *Model) column(e Entity, name string) (field, bool) {
	for _, f := range m.columns(e) {
		if f.Name == name {
			return f, true
		}
	}
	return field{}, false
}

// columns returns the fields of an entity's table as the catalog had it, those that are not sent too; none without a
// table.
func (m *Model) columns(e Entity) []field {
	if !m.Has(e) {
		return nil
	}
	l, err := m.tables[e].layout(m.tables[e].source.Columns)
	if err != nil {
		return nil // Resolve has laid the same columns out before
	}
	return l.fields
}

// lacksChanged tells which of the fields no subscribed event's entity has, or "".
func (s Subscription) lacksChanged(m *Model) string {
	for _, name := range s.Changed {
		if !slices.ContainsFunc(s.entities(), func(e Entity) bool {
			f, ok := m.column(e, name)
			return ok && f.Sent
		}) {
			return fmt.Sprintf("no event that is wanted sends a field %s", name)
		}
	}
	return ""
}
