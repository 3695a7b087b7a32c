//go:build !race

package main

// slow divides the size of the largest tests, see race_test.go.
const slow = 1

// thin divides the number of random rows, see race_test.go.
const thin = 1
