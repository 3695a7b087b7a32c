//go:build !race

package main

// slow divides the size of the largest tests, see race_test.go.
const slow = 1
