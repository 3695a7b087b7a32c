package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// document returns the root of the one YAML document in data, or nil after a fault.
func (in *reading) document(data []byte) *yaml.Node {
	if line := invalidUTF8(data); line > 0 {
		in.fault(line, "", "is not UTF-8: save the file in that encoding")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	err := decoder.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF):
		in.fault(1, "", "is empty; database, state and webhooks are what it has to say")
		return nil
	case err == nil:
		err = decoder.Decode(&second)
	}
	switch {
	case err == nil:
		in.fault(second.Line, "", "a second document begins here; one file holds one")
		return nil
	case !errors.Is(err, io.EOF):
		line := syntaxLine(data, err)
		in.fault(line, "", "not valid YAML: "+problem(err, bytes.Split(data, []byte("\n"))[line-1]))
		return nil
	}
	return doc.Content[0]
}

// invalidUTF8 returns the first line that is not UTF-8, or 0.
func invalidUTF8(data []byte) int {
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if !utf8.Valid(text) {
			return line
		}
	}
	return 0
}

// yamlMessage takes yaml.v3's message apart; the package has no typed error for syntax.
func yamlMessage(err error) (line int, what string) {
	parts := regexp.MustCompile(`(?s)^yaml: (?:line (\d+): )?(.*)$`).FindStringSubmatch(err.Error())
	if parts == nil {
		return 0, "cannot be parsed"
	}
	line, _ = strconv.Atoi(parts[1])
	return line, parts[2]
}

// usualCause is, by yaml.v3's message, what it mostly comes from.
var usualCause = map[string]string{
	"unknown anchor":                                 " (a value that begins with * has to be quoted)",
	"found unexpected end of stream":                 " (is a quote not closed?)",
	"mapping values are not allowed in this context": " (a value with a colon and a space in it has to be quoted)",
	"found character that cannot start any token":    " (a value that begins with @, ` or % has to be quoted)",
	"did not find expected key":                      " (is the line indented as its neighbours are?)",
	"did not find expected node content":             " (is a bracket not closed?)",
	"did not find expected ',' or ']'":               " (is a bracket not closed?)",
	"did not find expected ',' or '}'":               " (is a brace not closed?)",
}

// problem returns what yaml.v3 says of that line. All its messages are constant but for the one that repeats an
// alias, and that may be a secret that begins with *.
func problem(err error, line []byte) string {
	_, what := yamlMessage(err)
	indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
	if bytes.ContainsRune(indent, '\t') {
		return "indented with a tab; YAML takes spaces only"
	}
	if strings.HasPrefix(what, "unknown anchor") {
		what = "unknown anchor"
	}
	return what + usualCause[what]
}

// syntaxLine finds the line of a syntax error. yaml.v3's own number is that of the enclosing block, and off by one
// for some errors: so it is the line after the longest run of whole lines that do parse, counted down from what the
// parser had read when it gave up. Within an unclosed quote or bracket that search finds nothing near, and yaml.v3's
// number, the opening, is the better answer.
func syntaxLine(data []byte, err error) int {
	source := &lineReader{rest: data}
	var n yaml.Node
	for decoder := yaml.NewDecoder(source); decoder.Decode(&n) == nil; {
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	last := min(source.lines, len(lines))
	size := len(bytes.Join(lines[:last], nil))
	const steps, work = 20, 8 << 20
	for k := last; k > 0 && k > last-steps && size*(last-k+1) < work; k-- {
		size -= len(lines[k-1])
		if parses(data[:size]) {
			return k
		}
	}
	line, _ := yamlMessage(err)
	return max(line, 1)
}

func parses(data []byte) bool {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var n yaml.Node
		if err := decoder.Decode(&n); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// lineReader hands out one line a Read and counts them.
type lineReader struct {
	rest  []byte
	lines int
}

func (r *lineReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	line := r.rest
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end+1]
	}
	n := copy(p, line)
	if n == len(line) {
		r.lines++
	}
	r.rest = r.rest[n:]
	return n, nil
}
