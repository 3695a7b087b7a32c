package value

import (
	"bytes"
	"time"

	"bluetap/capture"
)

// lastYear is the last one of Postgres' timestamps (manual, "Date/Time Types"); so six digits hold every year.
const lastYear = 294_276

// stamp is a timestamp as Postgres writes it.
type stamp struct {
	year                             int // astronomical: 0 is 1 BC
	month, day, hour, minute, second int
	nanosecond                       int
	offset                           int // seconds east of UTC
}

// appendTimestamp turns "2022-12-01 11:23:09.241567+00" into "2022-12-01T11:23:09.241Z". Without an offset the time is
// taken as UTC. The infinities are no stamps and stay the text they are.
func appendTimestamp(dst, text []byte) ([]byte, bool) {
	s, ok := parseStamp(text)
	if !ok {
		return dst, false
	}
	if s.offset != 0 {
		s = s.utc()
	}
	dst = append(dst, '"')
	dst = appendYear(dst, s.year)
	dst = appendDigits(append(dst, '-'), s.month, 2)
	dst = appendDigits(append(dst, '-'), s.day, 2)
	dst = appendDigits(append(dst, 'T'), s.hour, 2)
	dst = appendDigits(append(dst, ':'), s.minute, 2)
	dst = appendDigits(append(dst, ':'), s.second, 2)
	dst = appendDigits(append(dst, '.'), s.nanosecond/1e6, 3)
	return append(dst, 'Z', '"'), true
}

// appendYear writes years beyond 0–9999 with a sign and six digits (ECMA-262, "Expanded Years").
func appendYear(dst []byte, year int) []byte {
	switch {
	case year < 0:
		return appendDigits(append(dst, '-'), -year, 6)
	case year > 9999:
		return appendDigits(append(dst, '+'), year, 6)
	}
	return appendDigits(dst, year, 4)
}

// appendDigits appends n with exactly width digits.
func appendDigits(dst []byte, n, width int) []byte {
	for range width {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; n > 0; i-- {
		dst[i] += byte(n % 10)
		n /= 10
	}
	return dst
}

// utc returns the same instant with no offset.
func (s stamp) utc() stamp {
	t := s.time()
	return stamp{
		year: t.Year(), month: int(t.Month()), day: t.Day(),
		hour: t.Hour(), minute: t.Minute(), second: t.Second(), nanosecond: s.nanosecond,
	}
}

// time returns the instant, in UTC.
func (s stamp) time() time.Time {
	return time.Date(s.year, time.Month(s.month), s.day, s.hour, s.minute, s.second-s.offset, s.nanosecond, time.UTC)
}

// Time returns the instant that the text of a timestamp or timestamptz is, in UTC and with all its digits; false for
// what is no such text. The infinities are before and after every other timestamp.
func Time(text []byte) (time.Time, bool) {
	switch string(text) {
	case "infinity":
		return time.Date(lastYear+1, 1, 1, 0, 0, 0, 0, time.UTC), true
	case "-infinity":
		return time.Date(-lastYear, 1, 1, 0, 0, 0, 0, time.UTC), true
	}
	s, ok := parseStamp(text)
	if !ok {
		return time.Time{}, false
	}
	return s.time(), true
}

// IsTime tells whether Time reads the texts of the type.
func IsTime(t capture.Type) bool {
	return t.Elem == 0 && (t.OID == timestampOID || t.OID == timestamptzOID)
}

// parseStamp reads YYYY-MM-DD HH:MM:SS[.ffffff][±HH[:MM[:SS]]][ BC] (Postgres manual, "Date/Time Output", style ISO).
func parseStamp(text []byte) (stamp, bool) {
	text, bc := bytes.CutSuffix(text, []byte(" BC"))
	r := reader{rest: text, ok: true}
	var s stamp
	s.year = r.number(4, 6, lastYear)
	s.month = r.after('-').number(2, 2, 12)
	s.day = r.after('-').number(2, 2, 31)
	s.hour = r.after(' ').number(2, 2, 23)
	s.minute = r.after(':').number(2, 2, 59)
	s.second = r.after(':').number(2, 2, 59)
	if bc {
		s.year = 1 - s.year
	}
	if r.skip('.') {
		s.nanosecond = r.fraction()
	}
	s.offset = r.offset()
	return s, r.ok && len(r.rest) == 0
}

// reader takes pieces off a text; ok turns false, and the pieces mean nothing, once one was not what was asked for.
type reader struct {
	rest []byte
	ok   bool
}

// number takes all digits, which must be between least and most many and no more than limit.
func (r *reader) number(least, most, limit int) int {
	n, digits := 0, 0
	for digits < len(r.rest) && digits < most && '0' <= r.rest[digits] && r.rest[digits] <= '9' {
		n = n*10 + int(r.rest[digits]-'0')
		digits++
	}
	r.rest = r.rest[digits:]
	r.ok = r.ok && digits >= least && n <= limit
	return n
}

// skip takes c if it comes next, and says whether it did.
func (r *reader) skip(c byte) bool {
	found := len(r.rest) > 0 && r.rest[0] == c
	if found {
		r.rest = r.rest[1:]
	}
	return found
}

// after takes c, which must come next.
func (r *reader) after(c byte) *reader {
	r.ok = r.skip(c) && r.ok
	return r
}

// fraction takes the digits of a fraction of a second, in nanoseconds, and cuts off what is finer.
func (r *reader) fraction() int {
	before := len(r.rest)
	n := r.number(1, 9, 999_999_999)
	for range 9 - (before - len(r.rest)) {
		n *= 10
	}
	for len(r.rest) > 0 && '0' <= r.rest[0] && r.rest[0] <= '9' {
		r.rest = r.rest[1:]
	}
	return n
}

// offset takes an offset from UTC, if there is one, in seconds.
func (r *reader) offset() int {
	sign := 1
	switch {
	case r.skip('-'):
		sign = -1
	case !r.skip('+'):
		return 0
	}
	seconds := r.number(2, 2, 99) * 3600
	if r.skip(':') {
		seconds += r.number(2, 2, 59) * 60
	}
	if r.skip(':') {
		seconds += r.number(2, 2, 59)
	}
	return sign * seconds
}
