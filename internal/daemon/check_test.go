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
	}{
		{2 << 30, 1 << 30, false, finding.Warning}, {2 << 30, 1 << 30, true, finding.OK}, {1, 1 << 30, false, finding.OK},
		{1, 100 << 20, true, finding.Warning}, {1, 1000, true, finding.Error},
	} {
		if got := judgeRoom(c.needed, c.free, c.mirrored); got.Severity != c.want {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}
