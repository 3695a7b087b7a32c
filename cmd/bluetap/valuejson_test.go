package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// documents returns JSON documents with all that JavaScript reads otherwise than it was written. Those that are kept as
// text may also hold what jsonb refuses: NUL, and surrogates alone.
func documents(asText bool) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		d := documentWriter{r: r, asText: asText}
		if r.IntN(50) == 0 {
			d.deep(50)
			return d.b.String()
		}
		d.value(r.IntN(4))
		return d.b.String()
	}
}

type documentWriter struct {
	b      strings.Builder
	r      *rand.Rand
	asText bool
}

func (d *documentWriter) space() { d.b.WriteString(pick(d.r, "", "", "", " ", "\n\t", "\r ")) }

// deep nests a value in depth arrays and objects.
func (d *documentWriter) deep(depth int) {
	ends := make([]string, depth)
	for i := range ends {
		start := pick(d.r, "[", `{"a":`, `{"7" : `)
		ends[depth-1-i] = map[byte]string{'[': "]", '{': "}"}[start[0]]
		d.b.WriteString(start)
	}
	d.value(1)
	d.b.WriteString(strings.Join(ends, ""))
}

func (d *documentWriter) value(depth int) {
	d.space()
	kinds := 6
	if depth == 0 {
		kinds = 4
	}
	switch d.r.IntN(kinds) {
	case 0:
		d.b.WriteString(pick(d.r, "true", "false", "null"))
	case 1:
		d.b.WriteString(d.number())
	case 2, 3:
		d.string()
	case 4:
		d.list("[", "]", func() { d.value(depth - 1) })
	default:
		d.list("{", "}", func() {
			d.name()
			d.space()
			d.b.WriteByte(':')
			d.value(depth - 1)
		})
	}
	d.space()
}

func (d *documentWriter) list(start, end string, item func()) {
	d.b.WriteString(start)
	for i := range d.r.IntN(pick(d.r, 2, 5, 20)) {
		if i > 0 {
			d.b.WriteByte(',')
		}
		item()
	}
	d.b.WriteString(end)
}

func (d *documentWriter) number() string {
	if d.r.IntN(2) == 0 {
		return pick(d.r, "0", "-0", "-0.0", "1.0", "1E400", "-1e400", "1e-400", "1e20", "1e21", "1E+2", "9007199254740991",
			"9007199254740992", "-9007199254740993", "12345678901234567890", "9007199254740993.0", "0.1000", "1.5e-7",
			"1.7976931348623157e308", "1.7976931348623159e308", "5e-324", "2e-324", "123456789012345678901234567890.5")
	}
	return strconv.FormatFloat(d.r.NormFloat64()*float64(d.r.IntN(1e9)), pick[byte](d.r, 'e', 'f', 'g'), -1, 64)
}

// name comes from few, so that some come twice, spelt differently too.
func (d *documentWriter) name() {
	switch d.r.IntN(6) {
	case 0:
		d.string()
	case 1, 2:
		fmt.Fprintf(&d.b, `"%d"`, d.r.IntN(12))
	default:
		d.b.WriteString(pick(d.r, `""`, `"a"`, `"\u0061"`, `"b"`, `"\u0031"`, `"01"`, `"-1"`, `"1.5"`, `"__proto__"`,
			`"toJSON"`, `"constructor"`, `"4294967294"`, `"4294967295"`, `"9007199254740991"`, `"é"`, `"\u00E9"`,
			`"\/"`, `"/"`, `"😀"`, `"\ud83D\ude00"`))
	}
}

func (d *documentWriter) string() {
	d.b.WriteByte('"')
	for _, c := range anyText(d.r) {
		switch {
		case c < ' ' || c == '"' || c == '\\' || c < 0xD800 && d.r.IntN(8) == 0:
			fmt.Fprintf(&d.b, pick(d.r, `\u%04x`, `\u%04X`), c)
		default:
			d.b.WriteRune(c)
		}
		switch d.r.IntN(16) {
		case 0:
			d.b.WriteString(pick(d.r, `\b`, `\f`, `\n`, `\r`, `\t`, `\"`, `\\`, `\/`, `\ud83d\ude00`))
		case 1:
			if d.asText {
				fmt.Fprintf(&d.b, pick(d.r, `\u%04x`, `\u0000\u%04X`), 0xD800+d.r.IntN(0x800))
			}
		}
	}
	d.b.WriteByte('"')
}
