//go:build unix

package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFloor runs both measurements on the floor alone, so that the driver keeps working.
func TestFloor(t *testing.T) {
	floor := filepath.Join(t.TempDir(), "floor")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", floor, "../floor").CombinedOutput(); err != nil {
		t.Fatalf("build floor: %v\n%s", err, out)
	}
	var table bytes.Buffer
	err := run(t.Context(), options{
		floor: floor, body: "../../mapping/testdata/todo_created.json",
		rounds: 2, backlog: 300, rate: 100, length: 200 * time.Millisecond,
	}, &table)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(table.String(), "floor, "); got != 4 {
		t.Errorf("the report has %d lines about floors, want 4:\n%s", got, table.String())
	}
}

func TestProgramThatFails(t *testing.T) {
	p := program{name: "shell", argv: []string{"sh", "-c", "echo some fault >&2; exit 7"}}
	running, err := p.start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = running.stop(t.Context(), running.awaitStreaming(t.Context()))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"before it streamed", "exit status 7", "some fault"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}

func TestTodoID(t *testing.T) {
	for body, want := range map[string]string{
		`{"event":"X","webhook":{"id":"no"},"currentValue":{"id":"yes","title":"a"}}`: "yes",
		`{"event":"X","webhook":{"id":"no"}}`:                                         "",
	} {
		if got := todoID([]byte(body)); got != want {
			t.Errorf("todoID(%s) is %q, want %q", body, got, want)
		}
	}
}

func TestQuantile(t *testing.T) {
	values := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for q, want := range map[float64]int{0: 1, 0.5: 6, 0.99: 10, 1: 10} {
		if got := quantile(values, q); got != want {
			t.Errorf("quantile %v is %d, want %d", q, got, want)
		}
	}
	if got := quantile([]int(nil), 0.5); got != 0 {
		t.Errorf("quantile of nothing is %d", got)
	}
}
