package config

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// exampleKey is a key of the example, switched on or off.
var exampleKey = regexp.MustCompile(`^( *)(- )?#?([a-zA-Z]+):`)

// headings are keys that only hold others and are told by them.
var headings = []string{"database", "state", "delivery", "retry", "todoList"}

// ending is how the comment above a key ends: with its default.
var ending = regexp.MustCompile(`(Default: [^:]+|Required)\.$`)

// TestExampleTellsDefaults holds that the comment above every key, or above the first of several that it tells of
// together, ends with what is so without the key.
func TestExampleTellsDefaults(t *testing.T) {
	comment, filter, told := "", false, map[string]bool{}
	for n, line := range strings.Split(readExample(t), "\n") {
		text, isComment := strings.CutPrefix(strings.TrimSpace(line), "# ")
		key := exampleKey.FindStringSubmatch(line)
		if key != nil && !isComment && len(key[1]) <= 4 {
			filter = key[3] == "filter"
		}
		switch {
		case isComment && comment == "told":
			comment = text
		case isComment:
			comment += " " + text
		case key == nil:
			comment = ""
		case slices.Contains(headings, key[3]) && comment != "told", told[key[0]]:
			comment = ""
		case comment != "told" && !ending.MatchString(comment) && (!filter || key[3] == "filter"): // in it all are off
			t.Errorf("%s:%d: %s: the comment above must end with Default: … or Required.: %q", exampleFile, n+1, key[3], comment)
		default:
			comment, told[key[0]] = "told", true
		}
	}
	if len(told) < 60 {
		t.Errorf("only %d keys found", len(told))
	}
}
