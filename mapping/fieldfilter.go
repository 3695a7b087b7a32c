package mapping

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// operand is a value of a FieldTest, in the forms in which it may be compared.
type operand struct {
	text   string
	number bool
	time   time.Time // zero: the text is no time
	day    bool      // the text is a date alone: the whole day is meant
}

var decimal = regexp.MustCompile(`^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?$`)

func operandOf(text string) operand {
	o := operand{text: text, number: decimal.MatchString(text)}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		o.time = t.UTC()
	} else if t, err := time.Parse(time.DateOnly, text); err == nil {
		o.time, o.day = t, true
	}
	return o
}

// end is the last instant that is meant.
func (o operand) end() time.Time {
	if o.day {
		return o.time.AddDate(0, 0, 1).Add(-1)
	}
	return o.time
}

// operator tells whether what a todo has in a field answers to the values. It is asked of what is there.
type operator struct {
	holds  func(c content, values []operand) bool
	unless bool // it is the opposite of holds, and so holds for what is not there
}

var operators = map[string]operator{
	"EQ":           {holds: equalsOne},
	"NE":           {holds: equalsOne, unless: true},
	"IN":           {holds: equalsOne},
	"NIN":          {holds: equalsOne, unless: true},
	"GT":           {holds: ordered(func(c int) bool { return c > 0 })},
	"GTE":          {holds: ordered(func(c int) bool { return c >= 0 })},
	"LT":           {holds: ordered(func(c int) bool { return c < 0 })},
	"LTE":          {holds: ordered(func(c int) bool { return c <= 0 })},
	"CONTAINS":     {holds: containsOne},
	"NOT_CONTAINS": {holds: containsOne, unless: true},
	"IS":           {holds: is},
	"NOT":          {holds: is, unless: true},
}

// compileField returns the test of one entry of a filter's fields.
func compileField(f FieldTest) func(s *subject) (bool, error) {
	op := operators[f.Op]
	var values []operand
	for _, text := range f.Values {
		values = append(values, operandOf(text))
	}
	return func(s *subject) (bool, error) {
		c, found, err := s.content(f.CustomFieldID)
		if err != nil {
			return false, err
		}
		switch {
		case c.kind == kindNone:
			return false, nil
		case (f.Op == "IS" || f.Op == "NOT") && len(values) == 0:
			return found == op.unless, nil
		case !found && (f.Op == "IS" || f.Op == "NOT"): // an unset checkbox is not checked
			return (values[0].text == "false") != op.unless, nil
		case !found:
			return op.unless, nil
		}
		return op.holds(c, values) != op.unless, nil
	}
}

func is(c content, values []operand) bool {
	return c.kind == kindBool && c.checked == (values[0].text == "true")
}

func equalsOne(c content, values []operand) bool {
	if c.kind == kindDate {
		return overlaps(c, values)
	}
	return slices.ContainsFunc(values, func(o operand) bool {
		switch c.kind {
		case kindNumber:
			return o.number && compareNumbers(c.text, o.text) == 0
		case kindBool:
			return o.text == "true" && c.checked || o.text == "false" && !c.checked
		case kindChoice, kindCountries:
			return slices.Contains(c.among, o.text)
		}
		return c.text == o.text
	})
}

// overlaps takes the values for a range from the first to the last of them.
func overlaps(c content, values []operand) bool {
	var start, end time.Time
	for _, o := range values {
		if o.time.IsZero() {
			return false
		}
		if start.IsZero() || o.time.Before(start) {
			start = o.time
		}
		if o.end().After(end) {
			end = o.end()
		}
	}
	return !c.end.Before(start) && !c.start.After(end)
}

func containsOne(c content, values []operand) bool {
	if c.kind == kindChoice || c.kind == kindCountries {
		return equalsOne(c, values)
	}
	return c.kind == kindText &&
		slices.ContainsFunc(values, func(o operand) bool { return strings.Contains(c.text, o.text) })
}

// ordered compares numbers and dates; nothing else has an order. A range of dates is where it starts, and a day is
// neither before nor after what lies in it.
func ordered(holds func(c int) bool) func(c content, values []operand) bool {
	return func(c content, values []operand) bool {
		o := values[0]
		switch {
		case c.kind == kindNumber && o.number && decimal.MatchString(c.text):
			return holds(compareNumbers(c.text, o.text))
		case c.kind == kindDate && !o.time.IsZero():
			switch {
			case c.start.Before(o.time):
				return holds(-1)
			case c.start.After(o.end()):
				return holds(1)
			}
			return holds(0)
		}
		return false
	}
}
