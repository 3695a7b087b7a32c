package config

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// longest bounds every duration, so that adding jitter or a clock's time to one cannot overflow.
const longest = 10 * 365 * 24 * time.Hour

// The readers below set *into and return true, or report a fault and leave it as it was.

// str reads a text that is not empty.
func (v value) str(into *string) bool {
	s, ok := v.scalar()
	switch {
	case !ok:
	case s.text == "":
		v.fault("is empty")
	case !utf8.ValidString(s.text) || strings.ContainsRune(s.text, 0):
		v.fault("must be UTF-8 without NUL")
	default:
		*into = s.text
		return true
	}
	return false
}

// optional reads a text for which null and "" mean that there is none.
func (v value) optional(into *string) bool {
	if v.isNull() || v.node.Value == "" && v.node.ShortTag() == "!!str" {
		return false
	}
	return v.str(into)
}

// identifier reads a Postgres identifier, which holds up to 63 bytes.
func (v value) identifier(into *string) {
	var name string
	switch {
	case !v.str(&name):
	case len(name) > 63:
		v.fault("must be a Postgres name of up to 63 bytes")
	default:
		*into = name
	}
}

// strs reads a list of texts; null is the empty list.
func (v value) strs(into *[]string) {
	entries, _ := v.list()
	list := make([]string, 0, len(entries))
	for _, e := range entries {
		var s string
		if e.str(&s) {
			list = append(list, s)
		}
	}
	*into = list
}

func (v value) secret(into *Secret) bool {
	s, ok := v.scalar()
	if ok {
		*into = NewSecret(s.text)
	}
	return ok
}

func (v value) boolean(into *bool) {
	s, ok := v.scalar()
	if !ok {
		return
	}
	b, known := map[string]bool{"true": true, "false": false}[strings.ToLower(s.text)]
	if !known || !s.resolved && v.node.ShortTag() != "!!bool" {
		v.fault("must be true or false")
		return
	}
	*into = b
}

func (v value) integer(into *int, least, most int) {
	s, ok := v.scalar()
	if !ok {
		return
	}
	n, err := strconv.Atoi(s.text)
	if err != nil || n < least || n > most || !s.resolved && v.node.ShortTag() != "!!int" {
		v.fault("must be a whole number from %d to %d", least, most)
		return
	}
	*into = n
}

func (v value) duration(into *time.Duration, least, most time.Duration) bool {
	s, ok := v.scalar()
	if !ok {
		return false
	}
	d, err := time.ParseDuration(s.text)
	switch {
	case err != nil:
		v.fault("must be a duration such as 500ms, 7s, 2m or 72h")
	case d < least || d > most:
		v.fault("must be a duration from %s to %s", short(least), short(most))
	default:
		*into = d
		return true
	}
	return false
}

// lasting reads a duration that is more than 0.
func (v value) lasting(into *time.Duration) {
	if d := *into; v.duration(&d, 0, longest) {
		if d == 0 {
			v.fault("must be more than 0")
			return
		}
		*into = d
	}
}

// moment reads a time; null and "" mean that there is none.
func (v value) moment(into **time.Time) {
	var text string
	if !v.optional(&text) {
		return
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		v.fault("must be a time such as 2022-12-01T07:01:25.014Z")
		return
	}
	t = t.UTC()
	*into = &t
}

// short prints a duration without the zero parts that Duration.String has: 72h, not 72h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
