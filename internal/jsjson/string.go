// Package jsjson writes JSON as JavaScript does: for everything it writes, JSON.stringify(JSON.parse(x)) === x holds,
// byte for byte. Receivers that verify a signature over a body that they parsed and serialised again depend on it.
//
// The rules are those of ECMA-262: JSON.stringify and QuoteJSONString for strings, Number::toString for numbers,
// OrdinaryOwnPropertyKeys for the order of an object's members.
package jsjson

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

// replacement is U+FFFD in UTF-8.
const replacement = "\uFFFD"

const hexDigits = "0123456789abcdef"

// AppendString appends s, which is UTF-8, as a JSON string and returns the extended buffer. It escapes what
// JSON.stringify escapes and no more: the quote, the backslash and the controls below U+0020, by their short forms
// where there is one, else as \u00xx in lower case. Everything else is written raw, U+007F, U+2028 and <>& too.
// Invalid UTF-8 becomes U+FFFD, one for each maximal subpart of an ill-formed sequence, as the Encoding Standard's
// decoder (JavaScript's TextDecoder) does; so a surrogate that was encoded by itself becomes three.
func AppendString[T ~[]byte | ~string](dst []byte, s T) []byte {
	dst = append(dst, '"')
	for i := 0; ; {
		n := plain(s[i:])
		dst = append(dst, s[i:i+n]...)
		if i += n; i == len(s) {
			return append(dst, '"')
		}
		if s[i] < 0x80 {
			dst = appendEscape(dst, s[i])
			i++
			continue
		}
		n, _ = sequence(s[i:])
		dst = append(dst, replacement...)
		i += n
	}
}

// Valid returns s with U+FFFD for what is not UTF-8, as AppendString writes it.
func Valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for s != "" {
		if s[0] < utf8.RuneSelf {
			b.WriteByte(s[0])
			s = s[1:]
			continue
		}
		n, valid := sequence(s)
		if valid {
			b.WriteString(s[:n])
		} else {
			b.WriteString(replacement)
		}
		s = s[n:]
	}
	return b.String()
}

// plain returns how many leading bytes of s a JSON string holds as they are: up to the first quote, backslash,
// control or byte of invalid UTF-8.
func plain[T ~[]byte | ~string](s T) int {
	i := 0
	for {
		i += plainASCII(s[i:])
		if i == len(s) || s[i] < 0x80 {
			return i
		}
		for i < len(s) && s[i] >= 0x80 {
			n, valid := sequence(s[i:])
			if !valid {
				return i
			}
			i += n
		}
	}
}

// plainASCII returns how many leading bytes of s are ASCII and need no escape. It looks at eight at once: in marks, the
// lowest of the high bits that are set belongs to the first byte that is no such byte, as borrows only go upwards.
func plainASCII[T ~[]byte | ~string](s T) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	i := 0
	for ; i+8 <= len(s); i += 8 {
		b := s[i : i+8]
		w := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		control := w - ' '*ones
		quote := (w ^ '"'*ones) - ones
		backslash := (w ^ '\\'*ones) - ones
		if marks := (w | control | quote | backslash) & highs; marks != 0 {
			return i + bits.TrailingZeros64(marks)/8
		}
	}
	for i < len(s) && s[i] >= ' ' && s[i] < 0x80 && s[i] != '"' && s[i] != '\\' {
		i++
	}
	return i
}

// appendEscape appends the escape of the quote, the backslash or a control.
func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\t':
		return append(dst, '\\', 't')
	case '\n':
		return append(dst, '\\', 'n')
	case '\f':
		return append(dst, '\\', 'f')
	case '\r':
		return append(dst, '\\', 'r')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}

// sequence returns the length of the UTF-8 sequence that s, which is not empty and starts with no ASCII, starts with,
// and whether it is valid; if not, the length is that of its maximal subpart (Unicode, table 3-7 and section 3.9).
func sequence[T ~[]byte | ~string](s T) (n int, valid bool) {
	var trail int
	low, high := byte(0x80), byte(0xBF) // of the second byte
	switch c := s[0]; {
	case c < 0xC2 || c > 0xF4:
		return 1, false
	case c < 0xE0:
		trail = 1
	case c == 0xE0:
		trail, low = 2, 0xA0
	case c == 0xED:
		trail, high = 2, 0x9F
	case c < 0xF0:
		trail = 2
	case c == 0xF0:
		trail, low = 3, 0x90
	case c == 0xF4:
		trail, high = 3, 0x8F
	default:
		trail = 3
	}
	for n = 1; n <= trail; n++ {
		if n == len(s) || s[n] < low || s[n] > high {
			return n, false
		}
		low, high = 0x80, 0xBF
	}
	return n, true
}
