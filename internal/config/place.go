package config

import "gopkg.in/yaml.v3"

// place is where a webhook stands in the file.
type place struct {
	file, path string
	line       int
	keys       map[string]int // the lines of its keys, those of its filter as filter.done
}

// put notes where the webhook and its keys stand; readFilter has noted those of its filter.
func (p *place) put(entry value, given map[string]value) {
	p.file, p.path, p.line = entry.in.file, entry.path, entry.line
	for name, v := range given {
		put(&p.keys, name, v.key)
	}
}

// Fault returns a fault of one of the webhook's keys, such as filter.colors, that shows only once the database is
// known.
func (w Webhook) Fault(key, what string) Fault {
	line, ok := w.place.keys[key]
	if !ok {
		line = w.place.line
	}
	return Fault{File: w.place.file, Line: line, Path: w.place.path + "." + key, What: what}
}

func (v value) isList() bool { return v.node.Kind == yaml.SequenceNode }

// isEmpty tells whether the value is null or a list without entries.
func (v value) isEmpty() bool { return v.isNull() || v.isList() && len(v.node.Content) == 0 }
