package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"bluetap/internal/jsjson"
)

// camelCase gives a column's name in payloads: split at "_", empty parts dropped, the first letter of the first part
// lower, of each later part upper, the rest as it is. created_at and createdAt both give createdAt.
// Names are compared as they are sent: what is not UTF-8 is U+FFFD.
func camelCase(column string) string {
	var b strings.Builder
	column = jsjson.Valid(column)
	for part := range strings.SplitSeq(column, "_") {
		if part == "" {
			continue
		}
		first, size := utf8.DecodeRuneInString(part)
		if b.Len() == 0 {
			first = unicode.ToLower(first)
		} else {
			first = unicode.ToUpper(first)
		}
		b.WriteRune(first)
		b.WriteString(part[size:])
	}
	return b.String()
}

// looksLikeInteger tells whether JavaScript would take the name for an array index and move it to an object's front.
func looksLikeInteger(name string) bool {
	if name == "" || len(name) > 1 && name[0] == '0' {
		return false
	}
	return strings.Trim(name, "0123456789") == ""
}
