package deliver

import (
	"net/http"
	"testing"
	"time"
)

// TestPolicy holds every status that IANA has registered, and some that servers send though none is.
func TestPolicy(t *testing.T) {
	t.Parallel()
	delivered := verdict{delivered: true}
	event := verdict{}
	unwell := verdict{unwell: true}
	pauses := verdict{unwell: true, pauses: true}
	want := map[int]verdict{
		0:   unwell,
		100: event, 101: event, 102: event, 103: event, 199: event,
		200: delivered, 201: delivered, 202: delivered, 203: delivered, 204: delivered, 205: delivered,
		206: delivered, 207: delivered, 208: delivered, 226: delivered, 299: delivered,
		300: event, 301: event, 302: event, 303: event, 304: event, 305: event, 307: event, 308: event, 399: event,
		400: event, 401: event, 402: event, 403: event, 404: event, 405: event, 406: event, 407: event,
		408: unwell, 409: event, 410: {gone: true}, 411: event, 412: event, 413: event, 414: event, 415: event,
		416: event, 417: event, 418: event, 421: event, 422: event, 423: event, 424: event, 425: event, 426: event,
		428: event, 429: pauses, 431: event, 451: event, 499: event,
		500: unwell, 501: unwell, 502: unwell, 503: pauses, 504: unwell, 505: unwell, 506: unwell, 507: unwell,
		508: unwell, 510: unwell, 511: unwell, 520: unwell, 599: unwell,
		600: event, 999: event,
	}
	for code, v := range want {
		if got := judge(code); got != v {
			t.Errorf("%d: got %+v, want %+v", code, got, v)
		}
	}
	for code := range 1000 {
		if _, listed := want[code]; !listed && http.StatusText(code) != "" {
			t.Errorf("%d %s: not in this test", code, http.StatusText(code))
		}
	}
}

func TestPoison(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]bool{0: false, 302: false, 400: true, 404: true, 408: false, 422: true,
		429: false, 499: true, 500: false} {
		if got := poison(code); got != want {
			t.Errorf("%d: got %v, want %v", code, got, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"":                               0,
		"0":                              0,
		"1":                              time.Second,
		" 120 ":                          2 * time.Minute,
		"86400":                          24 * time.Hour,
		"86401":                          24 * time.Hour,
		"2592000":                        24 * time.Hour,
		"2592001":                        0, // absurd from here
		"1795435200":                     0, // a date in Unix seconds
		"484289h":                        0,
		"-5":                             0,
		"+5":                             0,
		"1.5":                            0,
		"99999999999999999999":           0,
		"soon":                           0,
		"Mon, 23 Nov 2026 12:00:30 GMT":  30 * time.Second,
		"Monday, 23-Nov-26 12:00:30 GMT": 30 * time.Second,
		"Mon Nov 23 12:00:30 2026":       30 * time.Second,
		"Wed, 25 Nov 2026 12:00:00 GMT":  24 * time.Hour,
		"Mon, 23 Nov 2026 11:59:59 GMT":  0,
		"Mon, 23 Nov 2099 12:00:00 GMT":  0,
	} {
		h := http.Header{}
		h.Set("Retry-After", text)
		if got := retryAfter(h, now); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}
