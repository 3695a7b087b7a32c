package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bluetap/mapping"
)

const (
	eventsDoc = "../../docs/events.md"
	docIntro  = "testdata/events.intro.md"
)

// TestEventsDoc holds docs/events.md to the event table and to the bodies that the tests of the events got.
func TestEventsDoc(t *testing.T) {
	var doc strings.Builder
	doc.WriteString(readFile(t, docIntro))
	events := append(mapping.Events(), healthCheck)
	doc.WriteString("\n| event | kind | sends | fires when |\n|---|---|---|---|\n")
	for _, e := range events {
		fmt.Fprintf(&doc, "| [%s](#%s) | %s | %s | %s |\n", e.Event, strings.ToLower(e.Event), e.Kind,
			orNone(e.Entity), e.When)
	}
	bodies := sampleBodies(t)
	for _, e := range events {
		body, ok := bodies[e.Event]
		if !ok {
			t.Errorf("no test has a body of %s", e.Event)
			continue
		}
		fmt.Fprintf(&doc, "\n## %s\n\n%s.\n\n```json\n%s\n```\n", e.Event, sentence(e.When), wrapJSON(t, body))
	}
	if *update {
		if err := os.WriteFile(eventsDoc, []byte(doc.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got := readFile(t, eventsDoc); got != doc.String() {
		t.Errorf("%s is not what the event table and the golden files give: "+
			"go test ./cmd/bluetap -run TestEventsDoc -update", eventsDoc)
	}
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// sampleBodies returns a body of each event that the golden files hold: the one of a case that is named after it, else
// the shortest.
func sampleBodies(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(eventCases), "*", "*.golden"))
	if err != nil {
		t.Fatal(err)
	}
	samples, named := map[string]string{}, map[string]bool{}
	dirs := []string{filepath.Base(eventCases), "health", "gap"}
	for _, file := range files {
		if !slices.Contains(dirs, filepath.Base(filepath.Dir(file))) {
			continue
		}
		for body := range strings.Lines(readFile(t, file)) {
			body = strings.TrimSpace(body)
			var head struct{ Event string }
			if err := json.Unmarshal([]byte(body), &head); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			own := filepath.Base(file) == strings.ToLower(head.Event)+".golden"
			if known, ok := samples[head.Event]; !ok || own || !named[head.Event] && len(body) < len(known) {
				samples[head.Event], named[head.Event] = body, own
			}
		}
	}
	return samples
}

// docWidth is how wide a line of a sample may be.
const docWidth = 110

// wrapJSON breaks a body into lines, as few as fit, changing nothing else of it than white space.
func wrapJSON(t *testing.T, body string) string {
	t.Helper()
	var out strings.Builder
	wrapValue(t, &out, json.RawMessage(body), "")
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(out.String())); err != nil || compact.String() != body {
		t.Fatalf("wrapping changed %s: %v", body, err)
	}
	return out.String()
}

// wrapValue writes an object or array with its members side by side, those that do not fit a line on their own.
func wrapValue(t *testing.T, out *strings.Builder, value json.RawMessage, indent string) {
	t.Helper()
	if len(indent)+len(value) <= docWidth || value[0] != '{' && value[0] != '[' {
		out.Write(value)
		return
	}
	inner := indent + "  "
	fmt.Fprintf(out, "%c\n%s", value[0], inner)
	width := len(inner)
	for i, m := range membersOf(t, value) {
		long := width+len(m.name)+len(m.value)+2 > docWidth
		if i > 0 {
			out.WriteByte(',')
			if long {
				out.WriteString("\n" + inner)
				width = len(inner)
			} else {
				out.WriteByte(' ')
			}
		}
		out.WriteString(m.name)
		wrapValue(t, out, m.value, inner)
		width += len(m.name) + len(m.value) + 2
	}
	fmt.Fprintf(out, "\n%s%c", indent, value[len(value)-1])
}

type jsonMember struct {
	name  string // with its colon; "" in an array
	value json.RawMessage
}

func membersOf(t *testing.T, value json.RawMessage) []jsonMember {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(value))
	open, err := decoder.Token()
	var members []jsonMember
	for err == nil && decoder.More() {
		var m jsonMember
		if open == json.Delim('{') {
			start := decoder.InputOffset()
			if _, err = decoder.Token(); err != nil {
				break
			}
			m.name = strings.TrimPrefix(string(value[start:decoder.InputOffset()]), ",") + ":"
		}
		err = decoder.Decode(&m.value)
		members = append(members, m)
	}
	if err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	return members
}
