//go:build !race

package main

import "testing"

// slow divides the size of the largest tests, see race_test.go.
const slow = 1

// skipOneByOne does nothing, see race_test.go.
func skipOneByOne(*testing.T) {}

// thin divides the number of random rows, see race_test.go.
const thin = 1
