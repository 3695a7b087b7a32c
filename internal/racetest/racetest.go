// Package racetest keeps the race detector to where it can find something in reasonable time.
package racetest

import "testing"

// SkipOneByOne skips a test under the race detector that does one thing after the other, a thousand times: it would
// take minutes, and what runs beside it is Pebble's own, which checks itself under the detector and slows down most.
func SkipOneByOne(t testing.TB) {
	t.Helper()
	if Enabled {
		t.Skip("one thing after the other: nothing for the race detector")
	}
}

// Fewer returns how many of n random tries are made: all, or a tenth under the race detector.
func Fewer(n int) int {
	if Enabled {
		return n / 10
	}
	return n
}
