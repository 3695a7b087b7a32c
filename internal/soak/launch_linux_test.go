package soak

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"bluetap/internal/child"
)

// TestSupervise changes a process' clock and fails its fsyncs, and only its.
func TestSupervise(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), asProbe+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s, err := supervise(cmd)
	if err != nil {
		t.Fatal(err)
	}
	exited, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	go s.run(cmd)
	lines := bufio.NewScanner(out)
	ask := func() (int64, bool) {
		t.Helper()
		fmt.Fprintln(in)
		var at int64
		var synced string
		if !lines.Scan() {
			t.Fatal("the probe has ended")
		}
		if _, err := fmt.Sscan(lines.Text(), &at, &synced); err != nil {
			t.Fatal(err)
		}
		ok, _ := strconv.ParseBool(synced)
		return at, ok
	}
	if at, synced := ask(); !synced || !near(at, 0) {
		t.Errorf("at first: %d, fsync works %t", at, synced)
	}
	s.failing.Store(1)
	if _, synced := ask(); synced || s.failed.Load() != 1 {
		t.Errorf("fsync works %t, %d failed", synced, s.failed.Load())
	}
	clock := s.clock.Load()
	for _, seconds := range []int64{86400, -86400, 0} {
		if clock == nil {
			t.Log("the clock cannot be set on this processor")
			break
		}
		if err := clock.set(seconds); err != nil {
			t.Fatal(err)
		}
		if at, synced := ask(); !synced || !near(at, seconds) {
			t.Errorf("with %d: %d, fsync works %t", seconds, at, synced)
		}
	}
	_ = in.Close()
	<-exited
	<-s.ended
}

func near(at, offset int64) bool {
	off := at - time.Now().Unix() - offset
	return -5 < off && off < 5
}
