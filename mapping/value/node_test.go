package value_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"bluetap/capture"
	"bluetap/internal/jsjson/nodetest"
	"bluetap/mapping/value"
)

// each is how many random values of a kind are tried.
const each = 4000

// kinds holds, for each, the JavaScript from the source to the JSON that is expected.
var kinds = []struct {
	name   string
	random func(r *rand.Rand) (typ capture.Type, text, source string)
	node   string // from the source to the JSON that is expected
}{
	{"text", randomText, `b => JSON.stringify(text(b))`},
	{"integers", randomInteger, `b => {
		const n = BigInt(text(b)), safe = BigInt(Number.MAX_SAFE_INTEGER);
		return n > safe || n < -safe ? JSON.stringify(text(b)) : JSON.stringify(Number(n));
	}`},
	{"floats", randomFloat, `b => { const n = Number(text(b)); return JSON.stringify(isFinite(n) ? n : text(b)); }`},
	{"numerics", randomNumeric, `b => JSON.stringify(text(b).replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, ''))`},
	{"timestamps", randomTimestamp, `b => {
		const [year, month, day, hour, minute, second, millisecond, offset] = JSON.parse(text(b));
		const date = new Date(0);
		date.setUTCFullYear(year, month - 1, day);
		date.setUTCHours(hour, minute, second - offset, millisecond);
		return JSON.stringify(date);
	}`},
	{"bytea", randomBytea, `b => JSON.stringify(b.toString('base64'))`},
	{"arrays", randomArray, `b => JSON.stringify(JSON.parse(text(b)))`},
}

// Values of each kind are written as Postgres writes them; Node is told what they are in its own terms, by source, and
// is asked what it makes of that and whether it would write again what was written.
func TestAppendAgainstNode(t *testing.T) {
	r := nodetest.Rand(t)
	for _, tt := range kinds {
		t.Run(tt.name, func(t *testing.T) {
			var texts []string
			var sources, written [][]byte
			for range each {
				typ, text, source := tt.random(r)
				texts = append(texts, text)
				sources = append(sources, []byte(source))
				written = append(written, value.Append(nil, typ, []byte(text)))
			}
			want := nodetest.Map(t, tt.node, sources)
			again := nodetest.Map(t, `b => JSON.stringify(JSON.parse(text(b)))`, written)
			for i := range texts {
				if !bytes.Equal(written[i], want[i]) {
					t.Fatalf("%q: written %s, but in Node %s", texts[i], written[i], want[i])
				}
				if !bytes.Equal(written[i], again[i]) {
					t.Fatalf("%q: written %s, read again by Node %s", texts[i], written[i], again[i])
				}
			}
		})
	}
}

func randomText(r *rand.Rand) (typ capture.Type, text, source string) {
	s := randomString(r)
	if r.IntN(3) == 0 {
		at := r.IntN(len(s) + 1)
		s = s[:at] + string([]byte{byte(0x80 + r.IntN(0x80))}) + s[at:]
	}
	return pick(r, capture.Type{OID: 25}, uuid, enum, interval), s, s
}

func randomString(r *rand.Rand) string {
	var s strings.Builder
	for range r.IntN(12) {
		s.WriteString(pick(r, "plain text", " ", `"`, `\`, ",", "{", "}", ";", "NULL", "é", "漢", "😀", "\n", "\x01", "\u2028",
			string(rune(r.IntN(0x110000)))))
	}
	return s.String()
}

func randomInteger(r *rand.Rand) (typ capture.Type, text, source string) {
	n := int64(r.Uint64()) >> r.IntN(64)
	if r.IntN(4) == 0 {
		n = pick[int64](r, 1, -1) * (1<<53 - 2 + r.Int64N(4))
	}
	text = strconv.FormatInt(n, 10)
	return pick(r, int2, int4, int8), text, text
}

// randomFloat returns a float as Postgres prints it: the shortest digits that read back, in C's %g layout.
func randomFloat(r *rand.Rand) (typ capture.Type, text, source string) {
	typ, bits, plain := float8, 64, 15
	f := math.Float64frombits(r.Uint64())
	if r.IntN(2) == 0 {
		f = r.NormFloat64() * math.Pow(10, float64(r.IntN(40)-20))
	}
	if r.IntN(2) == 0 {
		typ, bits, plain = float4, 32, 6
		f = float64(float32(f))
	}
	if math.IsNaN(f) || math.IsInf(f, 0) || r.IntN(50) == 0 {
		text = pick(r, "NaN", "Infinity", "-Infinity", "0", "-0")
		return typ, text, text
	}
	text = strconv.FormatFloat(f, 'e', -1, bits)
	_, exponent, _ := strings.Cut(text, "e")
	if e, err := strconv.Atoi(exponent); err == nil && e >= -4 && e < plain {
		text = strconv.FormatFloat(f, 'f', -1, bits)
	}
	return typ, text, text
}

func randomNumeric(r *rand.Rand) (typ capture.Type, text, source string) {
	text = pick(r, "", "-") + strconv.FormatUint(r.Uint64()>>r.IntN(64), 10)
	if r.IntN(4) > 0 {
		text += "." + strconv.FormatUint(r.Uint64()>>r.IntN(64), 10) + strings.Repeat("0", r.IntN(8))
	}
	return numeric, text, text
}

// randomTimestamp returns one that a JavaScript date can hold too; the source is its parts.
func randomTimestamp(r *rand.Rand) (typ capture.Type, text, source string) {
	year := pick(r, 1900+r.IntN(200), r.IntN(10_000), 9998+r.IntN(4), r.IntN(270_000), 3-r.IntN(6), -r.IntN(4700))
	month, day := 1+r.IntN(12), 1+r.IntN(28)
	hour, minute, second := r.IntN(24), r.IntN(60), r.IntN(60)
	shown, era := year, ""
	if year <= 0 {
		shown, era = 1-year, " BC"
	}
	text = fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", shown, month, day, hour, minute, second)
	millisecond := 0
	if micros := r.IntN(1_000_000); r.IntN(4) > 0 {
		micros -= micros % pick(r, 1, 10, 1000, 100_000)
		text += strings.TrimRight(strings.TrimRight(fmt.Sprintf(".%06d", micros), "0"), ".")
		millisecond = micros / 1000
	}
	zone, offset := randomZone(r)
	typ = pick(r, timestamp, timestamptz)
	return typ, text + zone + era, fmt.Sprintf("[%d,%d,%d,%d,%d,%d,%d,%d]",
		year, month, day, hour, minute, second, millisecond, offset)
}

func randomZone(r *rand.Rand) (text string, offset int) {
	hours, minutes, seconds := r.IntN(15), r.IntN(60), r.IntN(60)
	sign, factor := "+", 1
	if r.IntN(2) == 0 {
		sign, factor = "-", -1
	}
	switch r.IntN(5) {
	case 0:
		return fmt.Sprintf("%s%02d", sign, hours), factor * hours * 3600
	case 1:
		return fmt.Sprintf("%s%02d:%02d", sign, hours, minutes), factor * (hours*3600 + minutes*60)
	case 2:
		return fmt.Sprintf("%s%02d:%02d:%02d", sign, hours, minutes, seconds), factor * (hours*3600 + minutes*60 + seconds)
	case 3:
		return "", 0
	}
	return "+00", 0
}

func randomBytea(r *rand.Rand) (typ capture.Type, text, source string) {
	b := make([]byte, r.IntN(pick(r, 4, 40, 4000)))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return bytea, `\x` + hex.EncodeToString(b), string(b)
}

// randomArray returns an array of texts in up to three dimensions; the source is the same as JSON.
func randomArray(r *rand.Rand) (typ capture.Type, text, source string) {
	var sizes []int
	var bounds strings.Builder
	for range 1 + r.IntN(3) {
		size, lower := 1+r.IntN(3), r.IntN(5)-2
		sizes = append(sizes, size)
		fmt.Fprintf(&bounds, "[%d:%d]", lower, lower+size-1)
	}
	text, source = dimension(r, sizes)
	if r.IntN(3) == 0 {
		text = bounds.String() + "=" + text
	}
	return texts, text, source
}

func dimension(r *rand.Rand, sizes []int) (text, source string) {
	if len(sizes) == 0 {
		return element(r)
	}
	var inner, sources []string
	for range sizes[0] {
		t, s := dimension(r, sizes[1:])
		inner, sources = append(inner, t), append(sources, s)
	}
	return "{" + strings.Join(inner, ",") + "}", "[" + strings.Join(sources, ",") + "]"
}

// element quotes as array_out does: what is empty, NULL, or holds a space or one of its own characters.
func element(r *rand.Rand) (text, source string) {
	if r.IntN(6) == 0 {
		return "NULL", "null"
	}
	s := randomString(r)
	j, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	if s != "" && !strings.EqualFold(s, "NULL") && !strings.ContainsAny(s, "\"\\{}, \t\n\r\v\f") {
		return s, string(j)
	}
	return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(s) + `"`, string(j)
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }
