package deliver

import (
	"net/http"
	"testing"
	"time"
)

// FuzzRetryAfter holds of any header and any instant: the pause is never negative and never above 24 hours; the
// same twice, and from another time zone; of a date no longer than until then, and none once it is past; and a date
// means the same in all three of HTTP's forms.
func FuzzRetryAfter(f *testing.F) {
	for _, text := range []string{"", "0", "120", "86401", "2592001", "-5", "99999999999999999999", "soon",
		"Mon, 23 Nov 2026 12:00:30 GMT", "Monday, 23-Nov-26 12:00:30 GMT", "Mon Nov 23 12:00:30 2026"} {
		f.Add(text, int64(1795435200), int64(30))
	}
	f.Fuzz(func(t *testing.T, text string, unix, ahead int64) {
		unix = min(max(unix, 0), 253402300799) // the last second of the year 9999
		now := time.Unix(unix, 0).UTC()
		wait := retryAfter(retryHeader(text), now)
		if wait < 0 || wait > maxRetryAfter {
			t.Errorf("%q: %s", text, wait)
		}
		if again := retryAfter(retryHeader(text), now.In(time.FixedZone("", 3600))); again != wait {
			t.Errorf("%q: %s and %s of one instant", text, wait, again)
		}
		if date, err := http.ParseTime(text); err == nil && wait > max(date.Sub(now), 0) {
			t.Errorf("%q: %s, longer than until then", text, wait)
		}
		checkDates(t, now, ahead)
	})
}

// checkDates has a date that lies so many seconds ahead in each form.
func checkDates(t *testing.T, now time.Time, ahead int64) {
	t.Helper()
	ahead %= int64(2 * absurdRetryAfter / time.Second)
	date := now.Add(time.Duration(ahead) * time.Second)
	if date.Year() > 9999 || date.Year() < 1970 {
		return
	}
	forms := []string{http.TimeFormat, time.RFC850, time.ANSIC}
	var want time.Duration
	if ahead > 0 && ahead <= int64(absurdRetryAfter/time.Second) {
		want = min(time.Duration(ahead)*time.Second, maxRetryAfter)
	}
	for _, form := range forms {
		text := date.Format(form)
		if form == time.RFC850 { // two digits of the year, which mean one of 1969 to 2068
			if date.Year() > 2068 {
				continue
			}
			text = date.Format("Monday, 02-Jan-06 15:04:05") + " GMT"
		}
		if got := retryAfter(retryHeader(text), now); got != want {
			t.Errorf("%q at %s: %s, want %s", text, now, got, want)
		}
	}
}

func retryHeader(text string) http.Header { return http.Header{"Retry-After": {text}} }
