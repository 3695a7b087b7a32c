package deliver

import "time"

// slew is how much a clock may be off between two runs of the program without having been set.
const slew = time.Second

// steady makes of a clock one that goes on from where it stands, whatever the machine's is set to afterwards: that is
// what the monotonic reading of package time is for. What waits for a while asks it; what is shown, signed or compared
// with a commit's time asks the clock itself.
func steady(now func() time.Time) func() time.Time {
	start := now()
	return func() time.Time { return start.Add(now().Sub(start)) }
}

// waits reports whether a due time lies ahead, and no further than the wait that it ends. More is a clock that was set
// back between two runs.
func waits(due time.Time, wait time.Duration, now time.Time) bool {
	ahead := due.Sub(now)
	return ahead > 0 && ahead <= wait+slew
}
