//go:build unix

package soak

import (
	"bufio"
	"fmt"
	"os"
	"testing"
	"time"
)

// asProbe makes the test binary be a program that says, for each line that it reads, what time it is and whether fsync
// works.
const asProbe = "BLUETAP_SOAK_PROBE"

func probe() {
	file, err := os.CreateTemp("", "probe")
	if err != nil {
		panic(err)
	}
	_ = os.Remove(file.Name())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Fprintln(os.Stdout, time.Now().Unix(), file.Sync() == nil)
	}
}

func TestMain(m *testing.M) {
	Launch()
	if os.Getenv(asProbe) != "" {
		probe()
		return
	}
	os.Exit(m.Run())
}
