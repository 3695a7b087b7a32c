//go:build unix

package soak

import (
	"cmp"
	"fmt"
	"slices"
)

// chained is what a record said last, of the columns whose change always fires an event.
type chained struct {
	said string
	lsn  uint64
}

// chainedFields are those columns, by the name of the event's entity.
var chainedFields = map[string][]string{
	"todo":    {"title", "todoListId", "done", "startedAt", "duedAt"},
	"comment": {"html", "text"},
}

// close wants each previous value to be the current value before it. It asks of deliveries only, and not of the truth.
func (c *checker) close(s *stretch, firsts []*arrival) {
	ordered := slices.Clone(firsts)
	slices.SortStableFunc(ordered, func(a, b *arrival) int { return cmp.Compare(a.lsn, b.lsn) })
	for _, a := range ordered {
		d := s.find(a)
		if d == nil || chainedFields[d.entity] == nil {
			continue
		}
		values := s.document(a)
		key := d.entity + "/" + d.id
		before, known := c.chains[key]
		previous, current := says(d.entity, values["previousValue"]), says(d.entity, values["currentValue"])
		if known && before.lsn != a.lsn && before.said != previous {
			c.violate(a.lsn, d.records, "the chain of %s is broken: commit %X left %s, commit %X begins with %s", key,
				before.lsn, before.said, a.lsn, previous)
		}
		if c.chains[key] = (chained{current, a.lsn}); current == "" {
			delete(c.chains, key)
		}
	}
}

func says(entity string, value any) string {
	v, ok := value.(map[string]any)
	if !ok {
		return ""
	}
	said := ""
	for _, field := range chainedFields[entity] {
		said += fmt.Sprintf("%s=%.60q ", field, fmt.Sprint(v[field]))
	}
	return said
}
