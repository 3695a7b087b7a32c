package deliver

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// verdict says what an HTTP status means for the event and for its webhook.
type verdict struct {
	delivered bool // the receiver has it
	gone      bool // the receiver wants nothing any more
	unwell    bool // speaks of the endpoint, not of the event: the breaker counts it
	pauses    bool // a Retry-After holds for the whole webhook
}

// policy is what every HTTP status means; the first row that holds the status decides. Code 0 stands for no
// response at all.
var policy = [...]struct {
	from, to int
	verdict
}{
	{0, 0, verdict{unwell: true}},
	{200, 299, verdict{delivered: true}},
	{http.StatusRequestTimeout, http.StatusRequestTimeout, verdict{unwell: true}},
	{http.StatusGone, http.StatusGone, verdict{gone: true}},
	{http.StatusTooManyRequests, http.StatusTooManyRequests, verdict{unwell: true, pauses: true}},
	{http.StatusServiceUnavailable, http.StatusServiceUnavailable, verdict{unwell: true, pauses: true}},
	{500, 599, verdict{unwell: true}},
}

// judge looks a status up; one that no row holds (3xx, the other 4xx, invalid ones) is a failure of the event alone.
func judge(code int) verdict {
	for _, row := range policy {
		if row.from <= code && code <= row.to {
			return row.verdict
		}
	}
	return verdict{}
}

// poison reports whether a status blames the event itself, so that those that follow it in its lane may fare alike.
func poison(code int) bool {
	return code >= 400 && code <= 499 && !judge(code).unwell
}

const (
	maxRetryAfter    = 24 * time.Hour
	absurdRetryAfter = 30 * 24 * time.Hour
)

// retryAfter reads a Retry-After header (RFC 9110 §10.2.3): seconds, or a date in any of HTTP's three forms. What
// is not understood, lies in the past or beyond 30 days counts as absent (0); the rest is capped at 24 hours.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	var wait time.Duration
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(text); err == nil {
		wait = date.Sub(now)
	}
	if wait <= 0 || wait > absurdRetryAfter {
		return 0
	}
	return min(wait, maxRetryAfter)
}
