package main

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The functions here return random values in Postgres' input syntax, those at some border more often than others.

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func oneOf(from ...string) func(*rand.Rand) string {
	return func(r *rand.Rand) string { return pick(r, from...) }
}

func integers(bits int) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		n := int64(r.Uint64()) >> (64 - bits) >> r.IntN(bits)
		switch r.IntN(6) {
		case 0:
			n = pick[int64](r, 0, -1, 1, math.MinInt64>>(64-bits), math.MaxInt64>>(64-bits))
		case 1:
			if bits == 64 {
				n = pick[int64](r, 1, -1) * (1<<53 - 2 + r.Int64N(4))
			}
		}
		return strconv.FormatInt(n, 10)
	}
}

func floats(bits int) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		f := r.NormFloat64() * math.Pow(10, float64(r.IntN(40)-20))
		switch r.IntN(5) {
		case 0:
			return pick(r, "NaN", "Infinity", "-Infinity", "0", "-0", "1e-7", "1e-6", "123456789012345680000", "1e21", "1e22",
				"0.1", "9007199254740993", "1e15", "1e16", "16777217", "0.30000000000000004")
		case 1:
			if bits == 32 {
				return pick(r, "3.4028235e38", "1.1754944e-38", "1e-45", "-1.4e-45", "0.3333333333")
			}
			return pick(r, "1.7976931348623157e308", "5e-324", "2.2250738585072014e-308", "2.225073858507201e-308", "-5e-324")
		case 2:
			if bits == 32 {
				f = float64(math.Float32frombits(r.Uint32()))
			} else {
				f = math.Float64frombits(r.Uint64())
			}
		}
		return strconv.FormatFloat(f, 'g', -1, bits)
	}
}

func digits(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + r.IntN(10))
	}
	return string(b)
}

func numerics(r *rand.Rand) string {
	switch r.IntN(8) {
	case 0:
		return pick(r, "NaN", "Infinity", "-Infinity", "0", "-0", "0.000", "1.000", "-0.0001", "100", "1e400", "1.50e-400",
			"9007199254740993", "-12345678901234567890.10", "1e3", "1.0e3", "1e-20", "0."+strings.Repeat("0", 500)+"10")
	case 1:
		return "1" + digits(r, pick(r, 100, 200, 1000)) + "." + digits(r, pick(r, 0, 100, 1000))
	case 2:
		if r.IntN(100) == 0 { // the most that Postgres has
			return "1" + digits(r, 131_071) + "." + digits(r, 16_383)
		}
	}
	return pick(r, "", "-") + "0" + digits(r, r.IntN(40)) + "." + digits(r, r.IntN(30)) + strings.Repeat("0", r.IntN(5))
}

// smallNumerics fit numeric(9,2).
func smallNumerics(r *rand.Rand) string {
	return pick(r, "", "-") + "0" + digits(r, r.IntN(7)) + "." + digits(r, r.IntN(5)) + pick(r, "", "00")
}

var special = []string{`"`, `\`, "/", "\n", "\r", "\t", "\b", "\f", "\v", "\x01", "\x1f", "\x7f", "\u0085",
	"\u2028", "\u2029", "\uFEFF", "\uFFFD", "\uFFFF", "é", "e\u0301", "漢", "😀", "👩‍👩‍👧", "\U0010FFFF",
	"<", ">&'", ",", "{", "}", ";", "NULL", `\u0041`, `\ud800`, " ", "", "null", "__proto__", "${x}", "$1"}

func anyText(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(pick(r, 2, 6, 12)) {
		switch r.IntN(4) {
		case 0:
			b.WriteString("plain text"[:r.IntN(11)])
		case 1:
			b.WriteString(string(rune(1 + r.IntN(0x7f))))
		case 2:
			b.WriteString(string(rune(1 + r.IntN(0x10FFFF)))) // a surrogate's is U+FFFD
		default:
			b.WriteString(pick(r, special...))
		}
	}
	if r.IntN(400) == 0 { // so large that it lies outside of its row
		b.WriteString(digits(r, 9000))
	}
	return b.String()
}

// shortText returns at most n characters, and bytes.
func shortText(n int) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		s := anyText(r)
		for len(s) > n {
			_, size := utf8.DecodeLastRuneInString(s)
			s = s[:len(s)-size]
		}
		return s
	}
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func byteas(r *rand.Rand) string {
	return `\x` + hex.EncodeToString(randomBytes(r, r.IntN(pick(r, 1, 4, 100, 1000))))
}

func uuids(r *rand.Rand) string { return fmt.Sprintf("%x", randomBytes(r, 16)) }

func moods(r *rand.Rand) string { return pick(r, "ok", "so so", `b"a\d`, "NULL", "é,😀", "") }

func pairs(r *rand.Rand) string {
	return "(" + pick(r, "", "1", "-2147483648") + "," +
		pick(r, "", `""`, `"a ""b"" \\ c"`, "NULL", `"é, 😀"`, "plain") + ")"
}

func boxes(r *rand.Rand) string {
	return fmt.Sprintf("(%s,%s),(%d,%d)", pick(r, "NaN", "1e300", "0.1", "-1"), pick(r, "Infinity", "2.5"), r.IntN(9),
		r.IntN(9))
}

func dates(r *rand.Rand) string {
	if r.IntN(4) == 0 {
		return pick(r, "infinity", "-infinity", "4714-11-24 BC", "4713-01-01 BC", "0001-12-31 BC", "0001-01-01",
			"9999-12-31", "10000-01-01", "5874897-12-31", "2024-02-29", "1970-01-01", "1969-12-31")
	}
	year, era := randomYear(r, 9999)
	return fmt.Sprintf("%04d-%02d-%02d%s", year, 1+r.IntN(12), 1+r.IntN(28), era)
}

func clocks(r *rand.Rand) string {
	if r.IntN(6) == 0 {
		return pick(r, "00:00:00", "24:00:00", "23:59:59.999999", "12:00:00.1")
	}
	return fmt.Sprintf("%02d:%02d:%02d.%s", r.IntN(24), r.IntN(60), r.IntN(60), digits(r, 1+r.IntN(6)))
}

func zonedClocks(r *rand.Rand) string {
	return clocks(r) + pick(r, "+00", "-05:30", "+14", "+00:19:32", "-15:59:59")
}

func intervals(r *rand.Rand) string {
	return pick(r, "0", "1 year 2 mons -3 days", "-1 month +1 day -00:00:00.5", "178000000 years", "100 hours 0.000001 s",
		fmt.Sprintf("%d months %d days %d.%s seconds", r.IntN(99)-50, r.IntN(99)-50, r.IntN(99999), digits(r, 6)))
}

// stamps returns instants; of those with an offset, a timestamp without a zone drops it.
func stamps(r *rand.Rand) string {
	if r.IntN(4) == 0 {
		return pick(r, "infinity", "-infinity", "4714-11-24 00:00:00 BC", "4713-01-01 00:00:00.000999 BC",
			"0002-12-31 23:59:59.999999 BC", "0001-01-01 00:00:00 BC", "0001-12-31 23:59:59.9999 BC", "0001-01-01 00:00:00",
			"9999-12-31 23:59:59.9994", "10000-01-01 00:00:00", "275760-09-13 00:00:00.001", "294276-12-31 23:59:59.9994",
			"1970-01-01 00:00:00", "1969-12-31 23:59:59.9999", "1969-12-31 23:59:59.0001", "2000-01-01 00:00:00.000001",
			"9999-12-31 23:30:00-01", "0001-01-01 00:30:00+01", "2022-12-31 20:30:00-05:30", "2024-02-29 12:00:00")
	}
	year, era := randomYear(r, 294_275)
	return fmt.Sprintf("%04d-%02d-%02d %s%s%s", year, 1+r.IntN(12), 1+r.IntN(28), stampClock(r),
		pick(r, "", "+00", "+02", "-11:30"), era)
}

// randomYear returns one up to last, or one before Christ that Postgres knows too.
func randomYear(r *rand.Rand, last int) (year int, era string) {
	year = 1 + r.IntN(pick(r, last, 9999, 4000, 2100))
	if year < 4000 && r.IntN(3) == 0 {
		era = " BC"
	}
	return year, era
}

func stampClock(r *rand.Rand) string {
	return fmt.Sprintf("%02d:%02d:%02d.%s", r.IntN(24), r.IntN(60), r.IntN(60), digits(r, 1+r.IntN(6)))
}

// arrays returns arrays of up to three dimensions, of other bounds than 1, with NULLs, and empty ones.
func arrays(delimiter byte, element func(*rand.Rand) string) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		if r.IntN(8) == 0 {
			return "{}"
		}
		var bounds strings.Builder
		sizes := make([]int, 1+r.IntN(pick(r, 1, 1, 3)))
		for i := range sizes {
			sizes[i] = 1 + r.IntN(3)
			lower := r.IntN(7) - 3
			fmt.Fprintf(&bounds, "[%d:%d]", lower, lower+sizes[i]-1)
		}
		text := arrayText(r, sizes, delimiter, element)
		if r.IntN(3) == 0 {
			return bounds.String() + "=" + text
		}
		return text
	}
}

func arrayText(r *rand.Rand, sizes []int, delimiter byte, element func(*rand.Rand) string) string {
	if len(sizes) == 0 {
		if r.IntN(6) == 0 {
			return "NULL"
		}
		return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(element(r)) + `"`
	}
	inner := make([]string, sizes[0])
	for i := range inner {
		inner[i] = arrayText(r, sizes[1:], delimiter, element)
	}
	return "{" + strings.Join(inner, string(delimiter)) + "}"
}
