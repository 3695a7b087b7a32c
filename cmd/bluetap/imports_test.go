package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers are the packages from the bottom up: each may import only what stands in a line above its own. Tests and what
// only they use are free.
var layers = [][]string{
	{"bluetap/internal/hint", "bluetap/internal/jsjson", "bluetap/internal/child", "bluetap/internal/blueschema"},
	{"bluetap/internal/finding", "bluetap/internal/pgserver"},
	{"bluetap/internal/soak"}, // it stands here because it must know nothing of what follows
	{"bluetap/capture", "bluetap/internal/store"},
	{"bluetap/mapping/value"},
	{"bluetap/mapping", "bluetap/deliver"},
	{"bluetap/internal/config", "bluetap/internal/control"},
	{"bluetap/internal/daemon", "bluetap/internal/demo"},
	{"bluetap/cmd/bluetap"},
}

// TestImportsPointOneWay holds the direction cmd → daemon → config, control → deliver, mapping → store, capture.
func TestImportsPointOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`,
		"bluetap/capture/...", "bluetap/mapping/...", "bluetap/deliver/...", "bluetap/internal/...",
		"bluetap/cmd/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for line := range strings.Lines(string(out)) {
		names := strings.Fields(line)
		own := layerOf(names[0])
		if own < 0 {
			continue
		}
		checked++
		for _, imported := range names[1:] {
			if !strings.HasPrefix(imported, "bluetap/") {
				continue
			}
			if layer := layerOf(imported); layer < 0 || layer >= own {
				t.Errorf("%s imports %s, which does not stand below it", names[0], imported)
			}
		}
	}
	if want := len(slices.Concat(layers...)); checked != want {
		t.Errorf("%d packages checked, want %d: name each in layers", checked, want)
	}
}

func layerOf(name string) int {
	return slices.IndexFunc(layers, func(packages []string) bool { return slices.Contains(packages, name) })
}
