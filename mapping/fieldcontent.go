package mapping

import (
	"strings"
	"time"

	"bluetap/mapping/value"
)

// fieldKind is how the values of a custom field are kept and compared.
type fieldKind uint8

const (
	kindUnknown fieldKind = iota // it is what its row holds
	kindNone                     // cannot be asked about, and answers no question
	kindEmpty                    // there is no value
	kindText
	kindNumber
	kindBool
	kindChoice    // options by id
	kindCountries // codes
	kindDate
)

// fieldKinds holds the types of custom fields that Blue knows. What is not here is asked about by what its row holds.
var fieldKinds = map[string]fieldKind{
	"TEXT_SINGLE": kindText, "TEXT_MULTI": kindText, "EMAIL": kindText, "URL": kindText, "PHONE": kindText,
	"UNIQUE_ID": kindText, "NUMBER": kindNumber, "PERCENT": kindNumber, "RATING": kindNumber, "CURRENCY": kindNumber,
	"FORMULA": kindNumber, "CHECKBOX": kindBool, "SELECT_SINGLE": kindChoice, "SELECT_MULTI": kindChoice,
	"COUNTRY": kindCountries, "DATE": kindDate, "LOCATION": kindNone, "FILE": kindNone, "TIME_DURATION": kindNone,
	"BUTTON": kindNone, "CURRENCY_CONVERSION": kindNone, "REFERENCED_BY": kindNone,
}

// content is what a todo has in a custom field: nothing, or one of these by its kind.
type content struct {
	kind       fieldKind
	text       string // a number's too
	checked    bool
	among      []string // ids or codes
	start, end time.Time
}

// content returns what the todo has in a custom field, false for nothing. Of several rows, which no schema of Blue's
// has, the first one that holds something counts.
func (s *subject) content(field string) (content, bool, error) {
	if known, ok := s.contents[field]; ok {
		return known, known.kind != kindEmpty, nil
	}
	c, found, err := s.readContent(field)
	if err != nil {
		return content{}, false, err
	}
	if !found {
		c.kind = kindEmpty
	}
	if s.contents == nil {
		s.contents = map[string]content{}
	}
	s.contents[field] = c
	return c, found, nil
}

func (s *subject) readContent(field string) (content, bool, error) {
	definition, err := s.state.byID(CustomField, field)
	if err != nil {
		return content{}, false, err
	}
	kind := kindUnknown
	if definition != nil {
		kind = fieldKinds[string(definition.cell("type").text)]
	}
	if kind == kindNone {
		return content{kind: kindNone}, true, nil
	}
	rows, err := s.values()
	if err != nil {
		return content{}, false, err
	}
	for _, row := range rows {
		if c := row.cell("customFieldId"); c.kind != cellText || string(c.text) != field {
			continue
		}
		if c, found, err := s.state.content(row, kind); found || err != nil {
			return c, found, err
		}
	}
	return content{}, false, nil
}

// content reads a value row as what its field is.
func (s state) content(r *Row, kind fieldKind) (content, bool, error) {
	options, err := s.children(TodoCustomFieldOption, "todoCustomFieldId", r.id())
	if err != nil {
		return content{}, false, err
	}
	c := content{kind: kind}
	for _, candidate := range []fieldKind{kindChoice, kindCountries, kindBool, kindNumber, kindDate, kindText} {
		if kind != candidate && kind != kindUnknown {
			continue
		}
		c.kind = candidate
		if c.read(r, options) {
			return c, true, nil
		}
	}
	return content{}, false, nil
}

// read takes the row for one of the kind and tells whether it holds something.
func (c *content) read(r *Row, options []*Row) bool {
	switch c.kind {
	case kindChoice:
		for _, option := range options {
			if id, ok := option.text("customFieldOptionId"); ok {
				c.among = append(c.among, id)
			}
		}
		return len(c.among) > 0
	case kindCountries:
		codes, _ := r.text("countryCodes")
		c.among = strings.FieldsFunc(codes, func(r rune) bool { return r == ',' || r == ' ' })
		return len(c.among) > 0
	case kindBool:
		text, ok := r.text("checked")
		c.checked = text == "t"
		return ok
	case kindNumber:
		var ok bool
		c.text, ok = r.text("number")
		return ok
	case kindDate:
		return c.readDates(r)
	}
	c.text, _ = r.text("text")
	return c.text != ""
}

// readDates reads startDate and endDate, as Blue's API names them; one alone is both.
func (c *content) readDates(r *Row) bool {
	var hasStart, hasEnd bool
	var start, end operand
	start, hasStart = instant(r.cell("startDate").text)
	end, hasEnd = instant(r.cell("endDate").text)
	c.start, c.end = start.time, end.end()
	switch {
	case !hasStart && !hasEnd:
		return false
	case !hasStart:
		c.start = end.time
	case !hasEnd:
		c.end = start.end()
	}
	return true
}

// instant reads a timestamp, or a date alone.
func instant(text []byte) (operand, bool) {
	if at, ok := value.Time(text); ok {
		return operand{time: at}, true
	}
	o := operandOf(string(text))
	return o, !o.time.IsZero()
}
