//go:build race

package main

import "testing"

// slow divides the size of the largest tests: under the race detector the daemon is several times slower.
const slow = 2

// skipOneByOne skips a test whose hundreds of short processes do one thing after the other: the race detector would
// find nothing and take minutes.
func skipOneByOne(t *testing.T) {
	t.Helper()
	t.Skip("nothing is at work at the same time")
}

// thin divides the number of random rows.
const thin = 10
