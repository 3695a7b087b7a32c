package jsjson_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"bluetap/internal/jsjson"
	"bluetap/internal/jsjson/nodetest"
)

// roundTrip is what a receiver does that parses a body and serialises it again. It must change nothing.
const roundTrip = `b => JSON.stringify(JSON.parse(text(b)))`

// assertSame compares what was written with what Node made of the sources, and with what Node makes of it.
func assertSame(t *testing.T, sources, written, want [][]byte) {
	t.Helper()
	again := nodetest.Map(t, roundTrip, written)
	for i := range sources {
		if !bytes.Equal(written[i], want[i]) {
			t.Fatalf("%q:\nwritten %q\nbut in Node %q", sources[i], written[i], want[i])
		}
		if !bytes.Equal(written[i], again[i]) {
			t.Fatalf("%q:\nwritten %q\nread again by Node %q", sources[i], written[i], again[i])
		}
	}
}

func TestStringsAgainstNode(t *testing.T) {
	r := nodetest.Rand(t)
	var sources, written [][]byte
	for range 20_000 {
		s := randomText(r)
		if r.IntN(2) == 0 {
			s = mangle(r, s)
		}
		sources = append(sources, s)
		written = append(written, jsjson.AppendString(nil, s))
	}
	assertSame(t, sources, written, nodetest.Map(t, `b => JSON.stringify(text(b))`, sources))
}

func TestNumbersAgainstNode(t *testing.T) {
	r := nodetest.Rand(t)
	var sources, written [][]byte
	for range 20_000 {
		f := randomNumber(r)
		sources = append(sources, strconv.AppendFloat(nil, f, 'e', -1, 64))
		written = append(written, jsjson.AppendNumber(nil, f))
	}
	assertSame(t, sources, written, nodetest.Map(t, `b => JSON.stringify(Number(text(b)))`, sources))
}

func TestDocumentsAgainstNode(t *testing.T) {
	r := nodetest.Rand(t)
	var sources, twins, written [][]byte
	for range 20_000 {
		var g generator
		g.value(r, 1+r.IntN(5))
		out, err := jsjson.AppendDocument(nil, g.source.Bytes())
		if err != nil {
			t.Fatalf("%q: %v", g.source.Bytes(), err)
		}
		sources = append(sources, g.source.Bytes())
		twins = append(twins, g.twin.Bytes())
		written = append(written, out)
	}
	assertSame(t, sources, written, nodetest.Map(t, roundTrip, twins))
}

// generator writes a random document, and its twin: the same with those numbers as strings that JavaScript could not
// hold, so that Node can be asked for what is expected.
type generator struct{ source, twin bytes.Buffer }

func (g *generator) both(s string) {
	g.source.WriteString(s)
	g.twin.WriteString(s)
}

func (g *generator) value(r *rand.Rand, depth int) {
	g.both(pick(r, "", "", "", " ", "\n\t", "\r "))
	kinds := 7
	if depth == 0 {
		kinds = 5
	}
	switch r.IntN(kinds) {
	case 0:
		g.both(pick(r, "true", "false", "null"))
	case 1:
		g.number(r)
	case 2, 3:
		g.both(randomLiteral(r))
	case 4:
		g.both(strconv.Itoa(r.IntN(1000)))
	case 5:
		g.list(r, depth, "[", "]", func() {})
	case 6:
		g.list(r, depth, "{", "}", func() { g.both(randomName(r) + pick(r, ":", ": ", " :")) })
	}
	g.both(pick(r, "", "", "", " ", "\n"))
}

func (g *generator) list(r *rand.Rand, depth int, start, end string, name func()) {
	g.both(start)
	for i := range r.IntN(pick(r, 3, 6, 24)) {
		if i > 0 {
			g.both(",")
		}
		g.both(pick(r, "", " "))
		name()
		g.value(r, depth-1)
	}
	g.both(end)
}

// number writes a number that JavaScript reads as it is, or one that it does not, which is a string in the twin.
func (g *generator) number(r *rand.Rand) {
	sign := pick(r, "", "-")
	unsafe := pick(r,
		sign+"9007199254740992", sign+strconv.FormatUint(1<<53+r.Uint64N(1<<63), 10),
		sign+pick(r, "1e309", "1.8E308", "2e+400", "1"+strings.Repeat("0", 16+r.IntN(300))))
	safe := pick(r,
		sign+"9007199254740991", sign+"0", sign+"0.0", sign+strconv.FormatUint(r.Uint64N(1<<53), 10),
		sign+"1e20", sign+"9007199254740993.0", sign+"1e-400", sign+"0.10e1",
		strconv.FormatFloat(randomNumber(r), 'e', -1, 64), strconv.FormatFloat(r.Float64(), 'f', -1, 64))
	if r.IntN(3) > 0 {
		g.both(safe)
		return
	}
	g.source.WriteString(unsafe)
	g.twin.WriteString(`"` + unsafe + `"`)
}

// randomName returns a quoted name; from few, so that some come twice, spelt differently too.
func randomName(r *rand.Rand) string {
	switch r.IntN(8) {
	case 0:
		return `"` + strconv.FormatUint(uint64(r.Uint32()), 10) + `"`
	case 1:
		return randomLiteral(r)
	case 2, 3:
		return strconv.Quote(strconv.Itoa(r.IntN(12)))
	}
	return pick(r, `""`, `"a"`, `"\u0061"`, `"b"`, `"bb"`, `"\u0031"`, `"01"`, `"-1"`, `"1.5"`, `"__proto__"`,
		`"toString"`, `"constructor"`, `"length"`,
		`"4294967293"`, `"4294967294"`, `"4294967295"`, `"4294967296"`, `"9007199254740991"`,
		`"\ud800"`, `"\uD800"`, `"é"`, `"\u00E9"`, `"\/"`, `"/"`, `"toJSON"`, `"1e3"`, `"+1"`)
}

// randomLiteral returns a JSON string in which the characters are raw or escaped, as it comes.
func randomLiteral(r *rand.Rand) string {
	var s strings.Builder
	s.WriteByte('"')
	for _, c := range string(randomText(r)) {
		switch {
		case c < ' ' || c == '"' || c == '\\' || c < 0xFFFF && r.IntN(8) == 0:
			fmt.Fprintf(&s, pick(r, `\u%04x`, `\u%04X`), c)
		default:
			s.WriteRune(c)
		}
		switch r.IntN(16) {
		case 0:
			s.WriteString(pick(r, `\b`, `\f`, `\n`, `\r`, `\t`, `\"`, `\\`, `\/`))
		case 1:
			fmt.Fprintf(&s, `\u%04x`, 0xD800+r.IntN(0x800))
		}
	}
	s.WriteByte('"')
	return s.String()
}

// randomText returns valid UTF-8, often short, with all that is special in JSON, UTF-8 or JavaScript.
func randomText(r *rand.Rand) []byte {
	var s []byte
	for range r.IntN(pick(r, 3, 12, 40)) {
		switch r.IntN(6) {
		case 0:
			s = append(s, byte(r.IntN(0x80)))
		case 1:
			s = append(s, pick(r, "\"", "\\", "/", "\x00", "\x1f", "\x7f", "\n", "<", "\u2028", "\uFEFF", "\uFFFD")...)
		case 2:
			s = append(s, string(rune(r.IntN(0x3000)))...)
		case 3:
			s = append(s, string(rune(r.IntN(0x110000)))...)
		default:
			s = append(s, "a plain piece of text"[:r.IntN(21)]...)
		}
	}
	return s
}

// mangle breaks UTF-8: bytes replaced, inserted, cut off.
func mangle(r *rand.Rand, s []byte) []byte {
	for range 1 + r.IntN(4) {
		at := r.IntN(len(s) + 1)
		junk := pick[byte](r, 0x80, 0xBF, 0xC0, 0xC3, 0xE0, 0xE2, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF, byte(r.Uint32()))
		rest := s[min(at+r.IntN(3), len(s)):]
		s = append(append(append([]byte(nil), s[:at]...), junk), rest...)
	}
	return s
}

// randomNumber returns a finite number: any bits, or one of those that are printed specially.
func randomNumber(r *rand.Rand) float64 {
	switch r.IntN(4) {
	case 0:
		return r.NormFloat64() * math.Pow(10, float64(r.IntN(60)-30))
	case 1:
		f, _ := strconv.ParseFloat(fmt.Sprintf("%de%d", r.IntN(1000), r.IntN(60)-30), 64)
		return math.Nextafter(f, pick(r, f, math.MaxFloat64, -math.MaxFloat64))
	}
	for {
		if f := math.Float64frombits(r.Uint64()); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
	}
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }
