//go:build unix

package soak

import (
	"syscall"
	"testing"
)

func TestGives(t *testing.T) {
	const (
		next  = "\nnext: free space under state.dir, then start again"
		needs = "a large transaction needs about 7 more bytes in /state, and 5 are free"
	)
	full, broken := syscall.ENOSPC, syscall.EIO
	for _, c := range []struct {
		said   string
		reason syscall.Errno
		want   bool
	}{
		{"bluetap: keep state: store failed: " + full.Error() + next, full, true},
		{"bluetap: keep state: store failed: " + full.Error() + ": " + needs + next, full, true},
		{"bluetap: stream: " + needs + next, full, true},
		{"bluetap: stream: a large transaction needs about 5 more bytes in /state, and 7 are free" + next, full, false},
		{"bluetap: keep state: store failed: " + broken.Error() + next, broken, true},
		{"bluetap: stream: " + needs + next, broken, false},
		{"bluetap: keep state: store failed: " + full.Error() + next, broken, false},
		{"bluetap: keep state: store failed: " + full.Error(), full, false},
		{"panic: " + full.Error() + ": something else" + next, full, false},
	} {
		if got := gives(c.said, c.reason.Error()); got != c.want {
			t.Errorf("%q gives %q: %t, want %t", c.said, c.reason, got, c.want)
		}
	}
}
