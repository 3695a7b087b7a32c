package config

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"
)

// Aliases and merges can blow a small file up without bound, so what is visited and what is reported are bounded.
const (
	maxValues = 500_000
	maxMerges = 16
	maxFaults = 1000
)

// reading is one pass over one file and what it has found.
type reading struct {
	file     string // as given, for messages
	folder   string // absolute; relative paths of the file start here
	opts     Options
	visited  int
	tooMany  bool // reported
	faults   []Fault
	warnings []Warning
}

// fault notes a fault, once: a cycle of aliases comes by the same place again and again.
func (in *reading) fault(line int, path, what string) {
	fault := Fault{File: in.file, Line: line, Path: path, What: what}
	n := len(in.faults)
	if n == maxFaults {
		fault = Fault{File: in.file, Line: line, What: "more faults follow; mend those above first"}
	}
	if n <= maxFaults && (n == 0 || in.faults[n-1] != fault) {
		in.faults = append(in.faults, fault)
	}
}

// value is a node at its place in the file.
type value struct {
	in   *reading
	node *yaml.Node // never an alias
	line int        // where it is written; of an alias, where the alias is
	key  int        // the line of its key; of a list's entry, line
	path string
}

func (in *reading) root(node *yaml.Node) value {
	return value{in: in, line: node.Line, key: node.Line}.child(node, node.Line, "")
}

func (v value) child(node *yaml.Node, key int, path string) value {
	c := value{in: v.in, node: node, line: node.Line, key: key, path: path}
	for c.node.Kind == yaml.AliasNode {
		c.node = c.node.Alias
	}
	if c.isNull() {
		c.line = key // yaml.v3 puts a value that is not there where the next token begins
	}
	v.in.visited++
	return c
}

// absent is the value of a key that the mapping v does not hold: null, at v's own line.
func (v value) absent(name string) value {
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: v.key}
	return v.child(node, v.key, join(v.path, name))
}

func (v value) isNull() bool { return v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!null" }

// hasFault tells whether a fault of just this key is known.
func (v value) hasFault() bool {
	return slices.ContainsFunc(v.in.faults, func(f Fault) bool { return f.Path == v.path })
}

func (v value) fault(format string, args ...any) {
	v.in.fault(v.line, v.path, fmt.Sprintf(format, args...))
}

func (v value) faultAtKey(format string, args ...any) {
	v.in.fault(v.key, v.path, fmt.Sprintf(format, args...))
}

// missing reports that v, a mapping, lacks a key.
func (v value) missing(name string) { v.absent(name).fault("is required") }

func (v value) warn(format string, args ...any) {
	w := Warning{File: v.in.file, Line: v.line, Path: v.path, What: fmt.Sprintf(format, args...)}
	v.in.warnings = append(v.in.warnings, w)
}

func join(path, name string) string {
	if path == "" {
		return pathName(name)
	}
	return path + "." + pathName(name)
}

// exhausted tells to stop: after too many faults, or, which it reports once, when aliases have blown the file up.
func (v value) exhausted() bool {
	if len(v.in.faults) > maxFaults {
		return true
	}
	if v.in.visited <= maxValues {
		return false
	}
	if !v.in.tooMany {
		v.in.tooMany = true
		v.fault("the file unfolds to more than %d values", maxValues)
	}
	return true
}

// list returns the entries of a list, or false after a fault. Null is the empty list.
func (v value) list() ([]value, bool) {
	switch {
	case v.exhausted():
		return nil, false
	case v.isNull():
		return nil, true
	case v.node.Kind != yaml.SequenceNode:
		v.fault("must be a list")
		return nil, false
	}
	entries := make([]value, 0, len(v.node.Content))
	for i, node := range v.node.Content {
		entries = append(entries, v.child(node, node.Line, fmt.Sprintf("%s[%d]", v.path, i)))
	}
	return entries, true
}

// entry is a key of a mapping with its value.
type entry struct {
	name string
	val  value
}

// mapping returns the entries of a mapping in the file's order, those of merge keys (<<) last, or false after a
// fault. A key given twice is a fault, and the first one holds. Null is the empty mapping.
func (v value) mapping() ([]entry, bool) { return v.merged(0) }

func (v value) merged(depth int) ([]entry, bool) {
	switch {
	case v.exhausted():
		return nil, false
	case v.isNull():
		return nil, true
	case v.node.Kind != yaml.MappingNode:
		v.fault("must be a mapping of keys to values")
		return nil, false
	}
	own := &keys{lines: map[string]int{}}
	var sources []value
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key, node := v.node.Content[i], v.node.Content[i+1]
		if key.ShortTag() == "!!merge" {
			sources = append(sources, v.sources(v.child(node, key.Line, v.path))...)
			continue
		}
		v.add(own, key, node)
	}
	for _, source := range sources {
		if depth >= maxMerges {
			source.fault("is merged more than %d deep", maxMerges)
			break
		}
		entries, _ := source.merged(depth + 1)
		for _, e := range entries {
			if own.lines[e.name] == 0 {
				own.put(e, e.val.key)
			}
		}
	}
	return own.entries, true
}

// keys collects a mapping's entries, each name once.
type keys struct {
	entries []entry
	lines   map[string]int
}

func (k *keys) put(e entry, line int) {
	k.entries = append(k.entries, e)
	k.lines[e.name] = line
}

func (v value) add(to *keys, key, node *yaml.Node) {
	name := v.child(key, key.Line, v.path)
	if name.node.Kind != yaml.ScalarNode {
		name.fault("a key must be a plain word")
		return
	}
	val := v.child(node, key.Line, join(v.path, name.node.Value))
	if first := to.lines[name.node.Value]; first > 0 {
		val.faultAtKey("is given twice, first on line %d", first)
		return
	}
	to.put(entry{name: name.node.Value, val: val}, key.Line)
}

// sources returns the mappings that a merge key names: one, or a list of them.
func (v value) sources(merge value) []value {
	if merge.node.Kind == yaml.SequenceNode {
		entries, _ := merge.list()
		return entries
	}
	return []value{merge}
}
