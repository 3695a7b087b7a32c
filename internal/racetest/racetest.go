// Package racetest keeps the race detector to where it can find something in reasonable time.
package racetest

import "testing"

// SkipOneByOne skips a test under the race detector that tries many values, layouts, configurations or crashes, one
// after the other. They would take minutes, and what is at work beside them is so too in tests that are not skipped.
func SkipOneByOne(t testing.TB) {
	t.Helper()
	if Enabled {
		t.Skip("one case after the other: too slow for the race detector")
	}
}

// SkipLarge skips a test under the race detector that sends many megabytes: each byte becomes slow, and tests
// that do the same with less find the races.
func SkipLarge(t testing.TB) {
	t.Helper()
	if Enabled {
		t.Skip("many megabytes: too slow for the race detector")
	}
}
