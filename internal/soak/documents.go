//go:build unix

package soak

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// document returns an arrival's values, nil if they cannot be read. The same ones are read once.
func (s *stretch) document(a *arrival) map[string]any {
	values, ok := s.read[a.values]
	if !ok {
		if decode(*a.values, &values) != nil {
			values = nil
		}
		s.read[a.values] = values
	}
	return values
}

func (s *stretch) difference(a *arrival, d *due) string {
	key := comparison{a.values, d}
	difference, ok := s.told[key]
	if !ok {
		difference = differing("", d.values, s.document(a))
		s.told[key] = difference
	}
	return difference
}

// idOf returns the id of a body's current, else its previous value, or of its record in the short form.
func idOf(values map[string]any) string {
	for _, side := range []string{"currentValue", "previousValue", "record"} {
		if v, ok := values[side].(map[string]any); ok {
			return row(v).id()
		}
	}
	return ""
}

// differing names the first place at which two documents differ, "" if they are the same.
func differing(path string, want, got any) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		keys := slices.Collect(maps.Keys(w))
		for key := range g {
			if _, ok := w[key]; !ok {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		for _, key := range keys {
			_, inWant := w[key]
			_, inGot := g[key]
			if inWant != inGot {
				return fmt.Sprintf("%s.%s: in the body %t, in truth %t", path, key, inGot, inWant)
			}
			if d := differing(path+"."+key, w[key], g[key]); d != "" {
				return d
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			break
		}
		for i := range w {
			if d := differing(fmt.Sprintf("%s[%d]", path, i), w[i], g[i]); d != "" {
				return d
			}
		}
		return ""
	}
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return fmt.Sprintf("%s is %.200v, in truth %.200v", path, got, want)
}
