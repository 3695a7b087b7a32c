package daemon

import (
	"testing"

	"bluetap/internal/finding"
)

// TestJudgeRoom holds that room is asked for only where the mirror is still to be made.
func TestJudgeRoom(t *testing.T) {
	for _, c := range []struct {
		needed, free int64
		mirrored     bool
		want         finding.Severity
	}{{2, 1, false, finding.Warning}, {2, 1, true, finding.OK}, {1, 2, false, finding.OK}} {
		if got := judgeRoom(c.needed, c.free, c.mirrored); got.Severity != c.want {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}
