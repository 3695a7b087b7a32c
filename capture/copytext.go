package capture

import (
	"bytes"
	"fmt"
)

// copyParser turns the bytes of COPY … TO STDOUT in text format into rows (Postgres manual, "COPY", "File Formats").
// It is an io.Writer; how the bytes are cut into writes does not matter.
type copyParser struct {
	row    func(values []Value) error // values are valid until it returns
	values []Value
	rest   []byte // of a row whose end has not come yet
	buf    []byte // the unescaped values of one row
	rows   int64
}

func newCopyParser(columns int, row func([]Value) error) *copyParser {
	return &copyParser{row: row, values: make([]Value, columns)}
}

// Write takes the next bytes and calls row for every row that they complete.
func (p *copyParser) Write(data []byte) (int, error) {
	n := len(data)
	for {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			p.rest = append(p.rest, data...)
			return n, nil
		}
		line := data[:end]
		if len(p.rest) > 0 {
			p.rest = append(p.rest, line...)
			line = p.rest
		}
		if err := p.line(line); err != nil {
			return 0, err
		}
		p.rest = p.rest[:0]
		data = data[end+1:]
	}
}

func (p *copyParser) line(line []byte) error {
	// Unescaping never lengthens, so that buf is not moved while values point into it.
	if cap(p.buf) < len(line) {
		p.buf = make([]byte, 0, 2*len(line))
	}
	p.buf = p.buf[:0]
	column := 0
	for more := true; more; column++ {
		var field []byte
		field, line, more = bytes.Cut(line, []byte{'\t'})
		if column >= len(p.values) {
			return fmt.Errorf("row of more than %d columns", len(p.values))
		}
		p.values[column] = p.value(field)
	}
	if column != len(p.values) {
		return fmt.Errorf("row of %d columns instead of %d", column, len(p.values))
	}
	p.rows++
	return p.row(p.values)
}

// escapes is what stands after a backslash for what; anything else stands for itself.
var escapes = [256]byte{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

func (p *copyParser) value(field []byte) Value {
	if len(field) == 2 && field[0] == '\\' && field[1] == 'N' {
		return Value{}
	}
	from := len(p.buf)
	for {
		plain := bytes.IndexByte(field, '\\')
		if plain < 0 || plain+1 >= len(field) {
			p.buf = append(p.buf, field...)
			break
		}
		p.buf = append(p.buf, field[:plain]...)
		c := field[plain+1]
		if escapes[c] != 0 {
			c = escapes[c]
		}
		p.buf = append(p.buf, c)
		field = field[plain+2:]
	}
	return Value{State: Text, Text: p.buf[from:len(p.buf):len(p.buf)]}
}
