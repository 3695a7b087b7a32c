package value

import (
	"bytes"
	"cmp"

	"bluetap/capture"
)

// maxDimensions is how many dimensions a Postgres array has at most (MAXDIM).
const maxDimensions = 6

// appendArray turns {1,NULL,3} and {{"a b",c},{d,e}} into JSON arrays, [0:1]={1,2} too, whose lower bound is dropped.
func appendArray(dst []byte, t capture.Type, text []byte) ([]byte, bool) {
	a := array{rest: afterBounds(text), typ: t, delimiter: cmp.Or(t.Delimiter, ',')}
	out, ok := a.dimension(dst, 1)
	if !ok || len(a.rest) > 0 {
		return dst, false
	}
	return out, true
}

// afterBounds returns what follows the bounds, which an array has whose indexes do not start at 1.
func afterBounds(text []byte) []byte {
	if len(text) == 0 || text[0] != '[' {
		return text
	}
	if rest, ok := bytes.CutPrefix(bytes.TrimLeft(text, "[]:-0123456789"), []byte("=")); ok {
		return rest
	}
	return text
}

// array is the array text that is still to be read (Postgres manual, "Array Input and Output Syntax").
type array struct {
	rest      []byte
	typ       capture.Type
	delimiter byte
	unquoted  []byte // scratch space for an element without its backslashes
}

// dimension appends one pair of braces, the depth-th, and what is in it.
func (a *array) dimension(dst []byte, depth int) ([]byte, bool) {
	if depth > maxDimensions || !a.skip('{') {
		return dst, false
	}
	dst = append(dst, '[')
	if a.skip('}') {
		return append(dst, ']'), true
	}
	for {
		var ok bool
		if len(a.rest) > 0 && a.rest[0] == '{' {
			dst, ok = a.dimension(dst, depth+1)
		} else {
			dst, ok = a.element(dst)
		}
		switch {
		case ok && a.skip('}'):
			return append(dst, ']'), true
		case ok && a.skip(a.delimiter):
			dst = append(dst, ',')
		default:
			return dst, false
		}
	}
}

// element appends one element.
func (a *array) element(dst []byte) ([]byte, bool) {
	if a.skip('"') {
		text, ok := a.quoted()
		if !ok {
			return dst, false
		}
		return a.value(dst, text), true
	}
	end := 0
	for end < len(a.rest) && a.rest[end] != a.delimiter && a.rest[end] != '}' {
		if c := a.rest[end]; c == '{' || c == '"' || c == '\\' {
			return dst, false // Postgres quotes an element with one of these
		}
		end++
	}
	text := a.rest[:end]
	a.rest = a.rest[end:]
	switch {
	case end == 0:
		return dst, false
	case string(text) == "NULL":
		return append(dst, "null"...), true
	}
	return a.value(dst, text), true
}

// value appends an element's value, which is itself an array if the element's type is a domain over one.
func (a *array) value(dst, text []byte) []byte {
	if a.typ.Inner == 0 {
		return appendScalar(dst, a.typ.Elem, text)
	}
	inner := a.typ
	inner.Inner--
	return Append(dst, inner, text)
}

// quoted takes a quoted element, of which the first quote is taken already, and returns its text, valid until the next.
func (a *array) quoted() ([]byte, bool) {
	a.unquoted = a.unquoted[:0]
	for {
		n := bytes.IndexAny(a.rest, `"\`)
		if n < 0 || a.rest[n] == '\\' && n+1 == len(a.rest) {
			return nil, false
		}
		plain := a.rest[:n]
		special := a.rest[n]
		a.rest = a.rest[n+1:]
		if special == '"' {
			if len(a.unquoted) == 0 {
				return plain, true
			}
			return append(a.unquoted, plain...), true
		}
		a.unquoted = append(append(a.unquoted, plain...), a.rest[0])
		a.rest = a.rest[1:]
	}
}

// skip takes c if it comes next, and says whether it did.
func (a *array) skip(c byte) bool {
	found := len(a.rest) > 0 && a.rest[0] == c
	if found {
		a.rest = a.rest[1:]
	}
	return found
}
