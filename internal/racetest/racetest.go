// Package racetest keeps the race detector to where it can find something in reasonable time.
package racetest

import "testing"

// SkipOneByOne skips a test under the race detector that does one thing after the other: a command, a value, a crash at
// each write. All of them would take minutes, and what runs beside them does so in tests of many things at once too.
func SkipOneByOne(t testing.TB) {
	t.Helper()
	if Enabled {
		t.Skip("one thing after the other: nothing for the race detector")
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
