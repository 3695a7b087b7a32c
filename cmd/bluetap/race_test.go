//go:build race

package main

// slow divides the size of the largest tests: under the race detector the daemon is several times slower.
const slow = 2
