// Package value writes column values, which Postgres gives as text, as JSON. It writes as JSON.stringify would:
// JSON.stringify(JSON.parse(x)) === x for every x that it has written.
//
// It counts on the session settings that capture makes: DateStyle ISO, TimeZone UTC, extra_float_digits above 0, so
// that floats have their shortest exact digits, and bytea_output hex.
package value

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strconv"

	"bluetap/capture"
	"bluetap/internal/jsjson"
)

// The types that are not written as the string of their text, by the OIDs that they have in every Postgres
// (src/include/catalog/pg_type.dat).
const (
	boolOID        = 16
	byteaOID       = 17
	int8OID        = 20
	int2OID        = 21
	int4OID        = 23
	jsonOID        = 114
	float4OID      = 700
	float8OID      = 701
	timestampOID   = 1114
	timestamptzOID = 1184
	numericOID     = 1700
	jsonbOID       = 3802
)

// An appender appends text as JSON; if it is no value of the type, it returns dst as it was and false.
type appender func(dst, text []byte) ([]byte, bool)

// appenders holds the types' appenders by OID. The types that are not here are written as the string of their text:
// text, varchar, uuid, date, time, timetz, interval, enums and whatever else there is.
var appenders = [...]appender{
	boolOID:        appendBool,
	byteaOID:       appendBytea,
	int8OID:        jsjson.AppendInteger,
	int2OID:        jsjson.AppendInteger,
	int4OID:        jsjson.AppendInteger,
	jsonOID:        appendDocument,
	float4OID:      appendFloat,
	float8OID:      appendFloat,
	timestampOID:   appendTimestamp,
	timestamptzOID: appendTimestamp,
	numericOID:     appendNumeric,
	jsonbOID:       appendDocument,
}

// Append appends text, a value of type t as Postgres writes it, as JSON and returns the extended buffer.
//
//	bool                    true, false
//	int2, int4, int8        a number; beyond ±(2^53−1) a string
//	float4, float8          the number that the text is, as JavaScript prints it; −0 is 0; NaN and ±Infinity are strings
//	numeric                 a string, without trailing zeros after the point; "NaN", "Infinity", "-Infinity"
//	timestamp, timestamptz  a string as of Date.toISOString, in UTC, further digits cut off; "infinity", "-infinity"
//	json, jsonb             the document, see jsjson.AppendDocument
//	bytea                   a string, base64 with padding (RFC 4648, section 4)
//	arrays of these         JSON arrays as deep as Postgres' have dimensions, lower bounds dropped, NULL as null; an
//	                        element whose type is a domain over an array is one too
//	any other type          a string of the text; U+FFFD for what is not UTF-8
//
// It never fails: text that is no value of its type, which Postgres does not send, is written as a string of it. SQL
// NULL has no text and is the caller's affair.
func Append(dst []byte, t capture.Type, text []byte) []byte {
	if t.Elem != 0 {
		if out, ok := appendArray(dst, t, text); ok {
			return out
		}
		return jsjson.AppendString(dst, text)
	}
	return appendScalar(dst, t.OID, text)
}

func appendScalar(dst []byte, oid uint32, text []byte) []byte {
	if oid < uint32(len(appenders)) && appenders[oid] != nil {
		if out, ok := appenders[oid](dst, text); ok {
			return out
		}
	}
	return jsjson.AppendString(dst, text)
}

// IsBool tells whether the texts of a type are t and f. Like the others beside it, it is false for arrays.
func IsBool(t capture.Type) bool { return t.Elem == 0 && t.OID == boolOID }

// IsNumber tells whether the texts of a type are numbers, which may be NaN or an infinity.
func IsNumber(t capture.Type) bool {
	switch t.OID {
	case int8OID, int2OID, int4OID, float4OID, float8OID, numericOID:
		return t.Elem == 0
	}
	return false
}

// IsDocument tells whether the texts of a type are JSON.
func IsDocument(t capture.Type) bool { return t.Elem == 0 && (t.OID == jsonOID || t.OID == jsonbOID) }

func appendBool(dst, text []byte) ([]byte, bool) {
	switch string(text) {
	case "t":
		return append(dst, "true"...), true
	case "f":
		return append(dst, "false"...), true
	}
	return dst, false
}

// appendFloat reads a float4's text as a double too: JavaScript has nothing else, and so 0.1 stays 0.1 and does not
// become 0.10000000149011612.
func appendFloat(dst, text []byte) ([]byte, bool) {
	for _, c := range text {
		// ParseFloat would also take hexadecimal, underscores, and "infinity" in any case.
		if (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' && c != 'e' {
			return dst, false
		}
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return dst, false
	}
	return jsjson.AppendNumber(dst, f), true
}

// appendNumeric drops the zeros that only tell the column's scale.
func appendNumeric(dst, text []byte) ([]byte, bool) {
	whole, fraction, found := bytes.Cut(text, []byte("."))
	if !found || !allDigits(bytes.TrimPrefix(whole, []byte("-"))) || !allDigits(fraction) {
		return dst, false // an integer, NaN, an infinity: the text it is
	}
	text = bytes.TrimRight(text, "0")
	text = bytes.TrimSuffix(text, []byte("."))
	return jsjson.AppendString(dst, text), true
}

// allDigits says whether s is made of decimal digits, at least one.
func allDigits(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) > 0
}

func appendDocument(dst, text []byte) ([]byte, bool) {
	out, err := jsjson.AppendDocument(dst, text)
	return out, err == nil
}

// appendBytea turns \x and hexadecimal digits into base64, piece by piece, so that large values are not held twice.
func appendBytea(dst, text []byte) ([]byte, bool) {
	digits, ok := bytes.CutPrefix(text, []byte(`\x`))
	if !ok {
		return dst, false
	}
	var piece [3 << 8]byte // whole groups of three bytes: only the last piece is padded
	out := append(dst, '"')
	for len(digits) > 0 {
		n := min(len(digits), hex.EncodedLen(len(piece)))
		decoded, err := hex.Decode(piece[:], digits[:n])
		if err != nil {
			return dst, false
		}
		out = base64.StdEncoding.AppendEncode(out, piece[:decoded])
		digits = digits[n:]
	}
	return append(out, '"'), true
}
