//go:build race

package main

// slow divides the size of the largest tests: under the race detector the daemon is several times slower.
const slow = 2

// thin divides the number of random rows.
const thin = 10
