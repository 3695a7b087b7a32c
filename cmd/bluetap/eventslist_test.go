package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"bluetap/mapping"
)

func TestEventsCommand(t *testing.T) {
	code, text, stderr := command(t, "events")
	if code != exitOK || stderr != "" {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if want := 1 + 37 + 4 + 3 + 1; len(lines) != want {
		t.Errorf("%d lines, want %d", len(lines), want)
	}
	for _, line := range lines {
		if len(strings.Split(line, "  ")) < 4 {
			t.Errorf("a column of %q is empty", line)
		}
	}
	code, text, _ = command(t, "events", "--json")
	var events []mapping.EventDescription
	if err := json.Unmarshal([]byte(text), &events); code != exitOK || err != nil {
		t.Fatalf("exit code %d, %v", code, err)
	}
	var names []string
	for _, e := range events {
		names = append(names, e.Event)
		if e.Kind == "" || e.When == "" || (e.Entity == "") != (e.Kind == healthKind || e.Event == mapping.GapEvent) {
			t.Errorf("%+v says too little", e)
		}
	}
	want := slices.Concat(mapping.EventTypes(), mapping.ExtensionTypes(), mapping.RecordTypes(),
		[]string{healthCheck.Event})
	if !slices.Equal(names, want) {
		t.Errorf("events %v, want %v", names, want)
	}
	if n := len(mapping.EventTypes()); n != 37 {
		t.Errorf("%d events of Blue's, want 37", n)
	}
	if code, _, _ := command(t, "events", "TODO_CREATED"); code != exitUsage {
		t.Errorf("exit code %d for an argument, want %d", code, exitUsage)
	}
}
