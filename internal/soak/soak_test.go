//go:build unix && !race

// Not under the race detector, which would see the test and not the daemon: that is the plain program in either case.

package soak_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bluetap/internal/soak"
)

// TestHistory is the history test, short: as long a run as every change of the code can afford. `make soak` plays the
// same for an hour.
func TestHistory(t *testing.T) {
	result := play(t, soak.Options{For: 6 * time.Second, Faults: 10, Clients: 2, Stretch: 400,
		Pause: 500 * time.Millisecond, SnapshotKill: 1})
	_, kinds := result.Struck()
	if result.Totals.Transactions < 100 || result.Totals.Events < 200 || kinds < 3 || hard(result) == 0 {
		t.Error("too little happened to say anything")
	}
}

// TestFailingSync has nothing but fsyncs that fail, of which each process but the last ends.
func TestFailingSync(t *testing.T) {
	const fails = "disk: fsync fails"
	result := play(t, soak.Options{For: time.Second, Faults: 2, Clients: 2, Stretch: 400, Pause: 500 * time.Millisecond,
		Only: fails})
	if n := result.Faults[fails]; n < 2 {
		t.Errorf("struck %d times, want 2", n)
	}
}

// play runs a history and wants it without violations; what it leaves is kept if the test fails.
func play(t *testing.T, o soak.Options) soak.Result {
	t.Helper()
	dir, err := os.MkdirTemp("", "soak") //nolint:usetesting // a Unix socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	o.Program, o.Dir, o.Seed = build(t, dir), filepath.Join(dir, "run"), seed(t)
	if err := os.Mkdir(o.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d: BLUETAP_TEST_SEED=%[1]d go test -run %s ./internal/soak", o.Seed, t.Name())
	result, err := soak.Run(t.Context(), o)
	if errors.Is(err, soak.ErrNoFault) {
		t.Skip(err)
	}
	t.Logf("%+v, %d attempts", result.Totals, result.Attempts)
	for _, name := range slices.Sorted(maps.Keys(result.Faults)) {
		t.Logf("%d times %s", result.Faults[name], name)
	}
	for _, v := range result.Violations {
		t.Errorf("violation: %s", v)
	}
	if err != nil {
		t.Error(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("configuration, log, audit and deliveries are in %s", o.Dir)
		} else if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return result
}

// hard counts the faults of the daemon in the middle of its work, the server and the line between them.
func hard(r soak.Result) (sum int) {
	for name, n := range r.Faults {
		of, _, _ := strings.Cut(name, ": ")
		if slices.Contains([]string{"daemon", "postgres", "line"}, of) && !strings.HasSuffix(name, "first snapshot") {
			sum += n
		}
	}
	return sum
}

func build(t *testing.T, dir string) string {
	t.Helper()
	program := filepath.Join(dir, "bluetap")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, "bluetap/cmd/bluetap")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build bluetap: %v\n%s", err, out)
	}
	return program
}

func seed(t *testing.T) uint64 {
	t.Helper()
	given := os.Getenv("BLUETAP_TEST_SEED")
	if given == "" {
		return rand.Uint64()
	}
	n, err := strconv.ParseUint(given, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
