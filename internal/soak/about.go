//go:build unix

package soak

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// about narrows the history of the last violation down to the rows that say something of it: the event's own, and those
// that stand where the two documents differ. An event about a relation has no row of its own.
func (c *checker) about(d *due, difference string) {
	v := &c.violations[len(c.violations)-1]
	if d.pairs[0] != "" && difference == "" {
		return
	}
	v.rows = append(d.rowsAt(difference), place{entities[d.entity].table, d.id})
	for _, at := range v.rows {
		if record := at.table + "/" + at.id; !slices.Contains(v.records, record) {
			v.records = append(slices.Clone(v.records), record) // a list, a project or a user, which no record holds
		}
	}
}

// rowsAt returns the rows that are nested in each other on the way to where two documents differ.
func (d *due) rowsAt(difference string) []place {
	path, _, _ := strings.Cut(difference, " ")
	var rows []place
	entity, document := d.entity, any(nil)
	for i, segment := range strings.Split(strings.Trim(path, ".:"), ".") {
		name, index, _ := strings.Cut(segment, "[")
		if i == 0 {
			document = d.values[name]
			continue
		}
		n := slices.IndexFunc(entities[entity].nested, func(n nesting) bool { return n.name == name })
		object, ok := document.(map[string]any)
		if n < 0 || !ok {
			break
		}
		entity, document = entities[entity].nested[n].entity, object[name]
		if array, ok := document.([]any); ok {
			if document = element(array, index); document == nil {
				break
			}
		}
		if object, ok := document.(map[string]any); ok {
			rows = append(rows, place{entities[entity].table, row(object).id()})
		}
	}
	return rows
}

// element returns what stands at an index such as 3], nil if nothing does.
func element(array []any, index string) any {
	i, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
	if err != nil || i >= len(array) {
		return nil
	}
	return array[i]
}

// concerns tells whether a change is one of the rows that the violation is about, or of the transaction that shows it.
func (v *violation) concerns(tx *commit, c change) bool {
	if v.rows == nil || tx.end == v.lsn {
		return true
	}
	return slices.ContainsFunc(v.rows, func(at place) bool {
		return at.table == c.table &&
			(c.op == 'T' || c.old != nil && c.old.id() == at.id || c.new != nil && c.new.id() == at.id)
	})
}

// circumstances are the faults of a stretch and the last lines that the daemon logged: what there is to tell of a
// violation that is about no record. r.mu is held, or nobody else runs any more.
func (r *run) circumstances() string {
	var b strings.Builder
	for _, f := range r.log {
		b.WriteString("\n    " + f.at.UTC().Format("15:04:05.000000") + " fault: " + f.name)
	}
	const most = 4 << 10
	log, err := os.ReadFile(r.stage.install.log)
	if err != nil {
		return b.String()
	}
	b.WriteString("\n    now " + time.Now().UTC().Format("15:04:05.000000") + ", the daemon's log ends:")
	for l := range strings.Lines(string(log[max(0, len(log)-most):])) {
		b.WriteString("\n    " + strings.TrimSpace(l))
	}
	return b.String()
}
