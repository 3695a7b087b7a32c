package main

import (
	"os"
	"testing"
)

// asBluetap makes the test binary be bluetap: the tests run it as a process of its own, to be killed and started again
// as a real one is.
const asBluetap = "BLUETAP_TEST_AS_BLUETAP"

func TestMain(m *testing.M) {
	if os.Getenv(asBluetap) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}
