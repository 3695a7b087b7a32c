package jsjson

import "strconv"

// maxSafe is Number.MAX_SAFE_INTEGER, 2^53−1: beyond it a JavaScript number does not hold every integer.
const maxSafe = "9007199254740991"

// AppendNumber appends f as JavaScript prints it (ECMA-262, Number::toString): the shortest digits that read back as f,
// with an exponent from 1e+21 upwards and below 1e-6. −0 is 0. NaN and the infinities have no JSON number, must not be
// passed, and would give text that is not JSON.
func AppendNumber(dst []byte, f float64) []byte {
	if f == 0 {
		return append(dst, '0')
	}
	if abs := max(f, -f); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	// strconv writes at least two digits after the exponent's sign, JavaScript no leading zero.
	if n := len(dst); dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// AppendInteger appends an integer given by its decimal text: a number if it lies within ±(2^53−1), else a string of
// the text, so that no receiver reads a neighbour of it. −0 is 0. It returns dst as it was and false if text is no
// integer as JSON spells it (digits, no needless zero in front, at most a minus sign).
func AppendInteger(dst, text []byte) ([]byte, bool) {
	if n, integer := scanNumber(text); n == 0 || n != len(text) || !integer {
		return dst, false
	}
	return appendInteger(dst, text), true
}

// appendInteger is AppendInteger for what is known to be an integer.
func appendInteger(dst, text []byte) []byte {
	digits := text
	if digits[0] == '-' {
		digits = digits[1:]
	}
	switch {
	case len(digits) > len(maxSafe) || len(digits) == len(maxSafe) && string(digits) > maxSafe:
		return appendQuoted(dst, text)
	case digits[0] == '0':
		return append(dst, '0')
	}
	return append(dst, text...)
}

// appendDecimal appends a JSON number that is not spelt as an integer; one that overflows becomes a string.
func appendDecimal(dst, text []byte) []byte {
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return appendQuoted(dst, text)
	}
	return AppendNumber(dst, f)
}

// appendQuoted appends a number's text as a string.
func appendQuoted(dst, text []byte) []byte {
	dst = append(dst, '"')
	dst = append(dst, text...)
	return append(dst, '"')
}

// scanNumber returns the length of the number in JSON's grammar that s starts with, 0 if there is none, and whether it
// is spelt as an integer, without fraction and exponent.
func scanNumber(s []byte) (n int, integer bool) {
	if len(s) > 0 && s[0] == '-' {
		n = 1
	}
	whole := scanDigits(s[n:])
	if whole == 0 || whole > 1 && s[n] == '0' {
		return 0, false
	}
	n += whole
	integer = true
	if n < len(s) && s[n] == '.' {
		fraction := scanDigits(s[n+1:])
		if fraction == 0 {
			return 0, false
		}
		n, integer = n+1+fraction, false
	}
	if n < len(s) && (s[n] == 'e' || s[n] == 'E') {
		n++
		if n < len(s) && (s[n] == '+' || s[n] == '-') {
			n++
		}
		exponent := scanDigits(s[n:])
		if exponent == 0 {
			return 0, false
		}
		n, integer = n+exponent, false
	}
	return n, integer
}

// scanDigits returns how many digits s starts with.
func scanDigits(s []byte) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}
