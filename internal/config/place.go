package config

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// place is where a webhook, or the database's section, stands in the file.
type place struct {
	file, path string
	line       int
	keys       map[string]int // the lines of its keys, those further down as filter.done or tables.todo.table
}

// put notes where the whole and its keys stand; readFilter and readTables have noted those further down.
func (p *place) put(entry value, given map[string]value) {
	p.file, p.path, p.line = entry.in.file, entry.path, entry.line
	for name, v := range given {
		put(&p.keys, name, v.key)
	}
}

// Fault returns a fault of one of the webhook's keys, such as filter.colors, that shows only once the database is
// known.
func (w Webhook) Fault(key, what string) Fault {
	return w.place.fault(key, what)
}

// Fault returns a fault of one of the section's keys, such as tables.todo.table, given or not, that shows only once the
// database is known.
func (d Database) Fault(key, what string) Fault { return d.place.fault(key, what) }

// fault is at the key's line, else at that of the nearest key above it that is given.
func (p place) fault(key, what string) Fault {
	line := p.line
	for above := key; above != ""; above = above[:max(0, strings.LastIndexByte(above, '.'))] {
		if at, ok := p.keys[above]; ok {
			line = at
			break
		}
	}
	return Fault{File: p.file, Line: line, Path: p.path + "." + key, What: what}
}

func (v value) isList() bool { return v.node.Kind == yaml.SequenceNode }

// isEmpty tells whether the value is null or a list without entries.
func (v value) isEmpty() bool { return v.isNull() || v.isList() && len(v.node.Content) == 0 }
