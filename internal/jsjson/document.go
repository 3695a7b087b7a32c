package jsjson

import (
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deeply a document may be nested, so that the goroutine's stack stays within some 40 MB. Postgres,
// limited by its own stack, accepts a tenth of it.
const maxDepth = 100_000

var errDepth = errors.New("parse JSON document: nested too deeply")

// AppendDocument appends doc, a JSON document in UTF-8, as JSON.stringify(JSON.parse(doc)) would print it, and returns
// the extended buffer: without white space; strings as AppendString writes them; of an object's members those named
// like an array index (0 … 2^32−2) first, ascending, then the others as they came; of members of the same name the
// last value in the first one's place. It deviates where JavaScript would lose digits: a number spelt as an
// integer beyond ±(2^53−1) and one that overflows become strings of their text. (What is spelt with a fraction or an
// exponent is a double by its writer's choice: 1e20 is 100000000000000000000.) Surrogates that are escaped without
// their other half stay escapes, in lower case. A member __proto__ is one like any other.
//
// It returns dst as it was and an error if doc is not JSON (RFC 8259) or nested deeper than 100,000 levels. The error
// names the offset and nothing of the text.
func AppendDocument(dst, doc []byte) ([]byte, error) {
	p := parser{src: doc, dst: dst, members: make([]member, 0, 16)}
	if err := p.value(0); err != nil {
		return dst, err
	}
	if p.next(); p.pos < len(doc) {
		return dst, p.unexpected()
	}
	return rearrange(p.dst, len(dst), p.moved), nil
}

// parser reads a document and writes it in one pass, members in the order of the source.
type parser struct {
	src     []byte
	pos     int // in src
	dst     []byte
	members []member // of the objects that are open, the innermost one's last
	moved   []object // whose members have to be put in another order, afterwards
}

// value parses one value, which lies within depth containers.
func (p *parser) value(depth int) error {
	switch c := p.next(); c {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	case '"':
		return p.string()
	case 't':
		return p.literal("true")
	case 'f':
		return p.literal("false")
	case 'n':
		return p.literal("null")
	}
	n, integer := scanNumber(p.src[p.pos:])
	if n == 0 {
		return p.unexpected()
	}
	text := p.src[p.pos : p.pos+n]
	p.pos += n
	if integer {
		p.dst = appendInteger(p.dst, text)
	} else {
		p.dst = appendDecimal(p.dst, text)
	}
	return nil
}

func (p *parser) array(depth int) error {
	if depth == maxDepth {
		return errDepth
	}
	p.take()
	if p.next() == ']' {
		p.take()
		return nil
	}
	for {
		if err := p.value(depth + 1); err != nil {
			return err
		}
		switch p.next() {
		case ',':
			p.take()
		case ']':
			p.take()
			return nil
		default:
			return p.unexpected()
		}
	}
}

func (p *parser) object(depth int) error {
	if depth == maxDepth {
		return errDepth
	}
	start, first := len(p.dst), len(p.members)
	p.take()
	if p.next() == '}' {
		p.take()
		return nil
	}
	for {
		if err := p.member(depth); err != nil {
			return err
		}
		switch p.next() {
		case ',':
			p.take()
		case '}':
			p.take()
			if members := arrange(p.dst, p.members[first:]); members != nil {
				p.moved = append(p.moved, object{start: start, end: len(p.dst), members: members})
			}
			p.members = p.members[:first]
			return nil
		default:
			return p.unexpected()
		}
	}
}

// member parses a name, the colon and the value.
func (p *parser) member(depth int) error {
	if p.next() != '"' {
		return p.unexpected()
	}
	m := member{place: len(p.dst), start: len(p.dst)}
	if err := p.string(); err != nil {
		return err
	}
	m.colon = len(p.dst)
	if p.next() != ':' {
		return p.unexpected()
	}
	p.take()
	if err := p.value(depth + 1); err != nil {
		return err
	}
	m.end = len(p.dst)
	p.members = append(p.members, m)
	return nil
}

func (p *parser) literal(word string) error {
	if len(p.src)-p.pos < len(word) || string(p.src[p.pos:p.pos+len(word)]) != word {
		return p.unexpected()
	}
	p.pos += len(word)
	p.dst = append(p.dst, word...)
	return nil
}

// string parses the string that starts at the current byte, its quote.
func (p *parser) string() error {
	p.take()
	for {
		n := plain(p.src[p.pos:])
		p.dst = append(p.dst, p.src[p.pos:p.pos+n]...)
		p.pos += n
		if p.pos == len(p.src) {
			return p.unexpected()
		}
		switch c := p.src[p.pos]; {
		case c == '"':
			p.take()
			return nil
		case c == '\\':
			if err := p.escape(); err != nil {
				return err
			}
		case c < ' ':
			return p.unexpected()
		default:
			n, _ := sequence(p.src[p.pos:])
			p.pos += n
			p.dst = append(p.dst, replacement...)
		}
	}
}

// escape parses the escape that starts at the current byte, its backslash.
func (p *parser) escape() error {
	if p.pos+1 == len(p.src) {
		return p.unexpected()
	}
	switch c := p.src[p.pos+1]; c {
	case '"', '\\', 'b', 'f', 'n', 'r', 't':
		p.dst = append(p.dst, '\\', c)
		p.pos += 2
		return nil
	case '/':
		p.dst = append(p.dst, '/')
		p.pos += 2
		return nil
	}
	unit, ok := codeUnit(p.src[p.pos:])
	if !ok {
		return p.unexpected()
	}
	p.pos += len(`\uXXXX`)
	switch {
	case unit < 0x80:
		p.ascii(byte(unit))
	case !utf16.IsSurrogate(unit):
		p.dst = utf8.AppendRune(p.dst, unit)
	default:
		p.surrogate(unit)
	}
	return nil
}

// ascii writes a character that was escaped by its number.
func (p *parser) ascii(c byte) {
	if c < ' ' || c == '"' || c == '\\' {
		p.dst = appendEscape(p.dst, c)
		return
	}
	p.dst = append(p.dst, c)
}

// surrogate writes the character that unit and the escape after it stand for; unit alone if they are no pair.
func (p *parser) surrogate(unit rune) {
	if low, ok := codeUnit(p.src[p.pos:]); ok {
		if r := utf16.DecodeRune(unit, low); r != utf8.RuneError {
			p.pos += len(`\uXXXX`)
			p.dst = utf8.AppendRune(p.dst, r)
			return
		}
	}
	p.dst = append(p.dst, '\\', 'u', 'd', hexDigits[unit>>8&0xf], hexDigits[unit>>4&0xf], hexDigits[unit&0xf])
}

// codeUnit returns the UTF-16 code unit of the \uXXXX that s starts with, if it does.
func codeUnit(s []byte) (unit rune, ok bool) {
	if len(s) < len(`\uXXXX`) || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for _, c := range s[2:6] {
		switch {
		case '0' <= c && c <= '9':
			unit = unit<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			unit = unit<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return unit, true
}

// next skips white space and returns the byte after it, without taking it; 0 at the end, and for a NUL byte, which no
// document may hold there.
func (p *parser) next() byte {
	for ; p.pos < len(p.src); p.pos++ {
		switch c := p.src[p.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// take copies the current byte.
func (p *parser) take() {
	p.dst = append(p.dst, p.src[p.pos])
	p.pos++
}

func (p *parser) unexpected() error {
	if p.pos >= len(p.src) {
		return errors.New("parse JSON document: unexpected end")
	}
	return fmt.Errorf("parse JSON document: unexpected byte at offset %d", p.pos)
}
