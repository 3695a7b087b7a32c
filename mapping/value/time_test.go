package value_test

import (
	"testing"
	"time"

	"bluetap/mapping/value"
)

func TestTime(t *testing.T) {
	for text, want := range map[string]string{
		"2022-12-01 11:23:09.241567+00":  "2022-12-01T11:23:09.241567Z",
		"2022-12-01 11:23:09":            "2022-12-01T11:23:09Z",
		"2022-12-01 00:23:09.5+05:30":    "2022-11-30T18:53:09.5Z",
		"0001-01-01 00:00:00+00 BC":      "0000-01-01T00:00:00Z",
		"2022-12-01 11:23:09.24156789+0": "",
		"2022-12-01":                     "",
		"":                               "",
	} {
		at, ok := value.Time([]byte(text))
		if got := at.Format(time.RFC3339Nano); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %s, %v; want %s", text, got, ok, want)
		}
	}
	first, _ := value.Time([]byte("-infinity"))
	last, _ := value.Time([]byte("infinity"))
	early, _ := value.Time([]byte("4713-01-01 00:00:00 BC"))
	late, _ := value.Time([]byte("294276-12-31 23:59:59.999999"))
	if !first.Before(early) || !late.Before(last) {
		t.Errorf("%s < %s, %s < %s: want so", first, early, late, last)
	}
}
