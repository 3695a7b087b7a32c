package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing wrong at one place of the file.
type Fault struct {
	File string `json:"file"` // as given to Load
	Line int    `json:"line"` // from 1; 1 for what concerns the file as a whole
	Path string `json:"path"` // webhooks[0].url; empty when it concerns no key
	What string `json:"what"` // one line, without any value of the file; of an if, names
}

// String returns file:line: path: what.
func (f Fault) String() string {
	if f.Path == "" {
		return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.What)
	}
	return fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.Path, f.What)
}

// Warning is something that is allowed and probably not meant; same form as a Fault.
type Warning = Fault

// Faults is Load's error: everything that is wrong with the file, in the order of its lines, never empty.
// After a thousand the last one says that there are more.
type Faults struct {
	List []Fault
}

// Error returns one line a fault.
func (f *Faults) Error() string {
	lines := make([]string, len(f.List))
	for i, fault := range f.List {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// NewFaults returns what was found wrong after Load, at least one, as Load would have.
func NewFaults(list []Fault) *Faults {
	sortFaults(list)
	return &Faults{List: list}
}

func sortFaults(list []Fault) {
	slices.SortStableFunc(list, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
}

// maxPathName bounds what of a key is repeated in a path.
const maxPathName = 40

// pathName returns name as it may stand in a path: its leading plain characters, and … for the rest. A key that is no
// plain word is a slip, and {secret:hunter2} is one key to YAML: what follows the slip may be a secret.
func pathName(name string) string {
	plain := strings.IndexFunc(name, func(r rune) bool { return !isWordRune(r) })
	if plain < 0 && len(name) <= maxPathName && name != "" {
		return name
	}
	if plain < 0 {
		plain = len(name)
	}
	return name[:min(plain, maxPathName)] + "…"
}

func isWordRune(r rune) bool {
	return r == '_' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}
