package config

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Filter is a webhook's filter by its keys, as Blue names them. All of them must hold.
type Filter struct {
	// Match says of which state of the record the filter is asked: current, previous, startsMatching or stopsMatching.
	// Empty: current. Default: empty.
	Match string `yaml:"match,omitempty"`
	// Lists holds the keys that take a list, such as todoIds, of which one entry must fit: at least one each.
	Lists map[string][]string `yaml:"lists,omitempty"`
	// Flags holds the keys that are true or false.
	Flags map[string]bool `yaml:"flags,omitempty"`
	// Times holds dueStart, dueEnd, createdStart and createdEnd: inclusive, UTC. Where the file gives a date alone, a
	// start is its first instant and an end its last.
	Times map[string]time.Time `yaml:"times,omitempty"`
	// Texts holds search and recordName, not empty.
	Texts map[string]string `yaml:"texts,omitempty"`
	// Fields are conditions on custom fields.
	Fields []FieldTest `yaml:"fields,omitempty"`
}

// FieldTest is a condition on a record's value in one custom field.
type FieldTest struct {
	// CustomFieldID is the field's id. Required.
	CustomFieldID string `yaml:"customFieldId"`
	// Op is one of EQ NE GT GTE LT LTE IN NIN CONTAINS NOT_CONTAINS IS NOT. Required.
	Op string `yaml:"op"`
	// Values are what is compared with: one for GT, GTE, LT and LTE, a number or a time; true or false, or none for null,
	// for IS and NOT; one or more for the others.
	Values []string `yaml:"values"`
}

var filterFields = []field[Filter]{
	{"match", func(f *Filter, v value) { v.oneOf(&f.Match, filterMatches) }},
	filterList("todoIds"), filterList("todoListIds"), filterList("todoListTitles"),
	filterList("assigneeIds"), filterList("notAssigneeIds"), filterFlag("unassigned"),
	filterList("tagIds"), filterList("tagTitles"), filterList("tagColors"), filterList("notTagIds"),
	filterList("colors"), filterFlag("done"), filterFlag("archived"),
	filterFlag("hasTag"), filterFlag("hasDueDate"), filterFlag("hasDescription"), filterFlag("hasChecklist"),
	filterTime("dueStart", false), filterTime("dueEnd", true),
	filterTime("createdStart", false), filterTime("createdEnd", true),
	filterText("search"), filterText("recordName"),
	{"fields", readFields},
}

var fieldTestFields = []field[FieldTest]{
	{"customFieldId", func(f *FieldTest, v value) { v.str(&f.CustomFieldID) }},
	{"op", func(f *FieldTest, v value) { v.oneOf(&f.Op, fieldOps) }},
	{"values", readFieldValues}, // after op, which says what they may be
}

var (
	filterMatches = []string{"current", "previous", "startsMatching", "stopsMatching"}
	fieldOps      = []string{"EQ", "NE", "GT", "GTE", "LT", "LTE", "IN", "NIN", "CONTAINS", "NOT_CONTAINS", "IS", "NOT"}
)

func filterList(name string) field[Filter] {
	return field[Filter]{name, func(f *Filter, v value) {
		var list []string
		if v.some(&list) {
			put(&f.Lists, name, list)
		}
	}}
}

func filterFlag(name string) field[Filter] {
	return field[Filter]{name, func(f *Filter, v value) {
		var b bool
		v.boolean(&b)
		put(&f.Flags, name, b)
	}}
}

func filterText(name string) field[Filter] {
	return field[Filter]{name, func(f *Filter, v value) {
		var text string
		if v.str(&text) {
			put(&f.Texts, name, text)
		}
	}}
}

func filterTime(name string, last bool) field[Filter] {
	return field[Filter]{name, func(f *Filter, v value) {
		var text string
		if !v.str(&text) {
			return
		}
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			if at, err = time.Parse(time.DateOnly, text); err == nil && last {
				at = at.AddDate(0, 0, 1).Add(-1)
			}
		}
		if err != nil {
			v.fault("must be a time such as 2026-03-31T18:00:00Z, or a date such as 2026-03-31")
			return
		}
		put(&f.Times, name, at.UTC())
	}}
}

func put[V any](into *map[string]V, name string, v V) {
	if *into == nil {
		*into = map[string]V{}
	}
	(*into)[name] = v
}

// oneOf reads one of the names.
func (v value) oneOf(into *string, names []string) {
	var name string
	switch {
	case !v.str(&name):
	case !slices.Contains(names, name):
		v.fault("must be one of %s%s", strings.Join(names, ", "), suggest(name, names))
	default:
		*into = name
	}
}

// some reads a list of at least one text.
func (v value) some(into *[]string) bool {
	entries, ok := v.list()
	if ok && len(entries) == 0 {
		v.fault("must have at least one entry; leave the key out to ask nothing")
	}
	v.strs(into)
	return ok && len(entries) > 0 && len(*into) == len(entries)
}

func readFilter(w *Webhook, v value) {
	given := decode(v, filterFields, &w.Filter)
	for name, val := range given {
		put(&w.place.keys, "filter."+name, val.key)
	}
	if match, ok := given["match"]; ok && len(given) == 1 {
		match.faultAtKey("says how the other keys are asked, and there is none")
	}
}

func readFields(f *Filter, v value) {
	entries, ok := v.list()
	if ok && len(entries) == 0 {
		v.fault("must have at least one entry; leave the key out to ask nothing")
	}
	for _, e := range entries {
		var t FieldTest
		given := decode(e, fieldTestFields, &t, "customFieldId", "op")
		if _, ok := given["values"]; !ok && t.Op != "" && t.Op != "IS" && t.Op != "NOT" {
			e.missing("values")
		}
		f.Fields = append(f.Fields, t)
	}
}

// readFieldValues reads a list, or what may stand for a list of one.
func readFieldValues(t *FieldTest, v value) {
	isNull := v.isNull() || v.isList() && len(v.node.Content) == 1 && v.node.Content[0].ShortTag() == "!!null"
	if t.Op == "" || isNull && (t.Op == "IS" || t.Op == "NOT") {
		return
	}
	if v.isList() {
		v.some(&t.Values)
	} else {
		var one string
		if v.str(&one) {
			t.Values = []string{one}
		}
	}
	if len(t.Values) == 0 {
		return
	}
	switch t.Op {
	case "IS", "NOT":
		if len(t.Values) > 1 || t.Values[0] != "true" && t.Values[0] != "false" {
			v.fault("must be null, true or false for %s; EQ and NE compare values", t.Op)
		}
	case "GT", "GTE", "LT", "LTE":
		if len(t.Values) > 1 || !isNumber(t.Values[0]) && !isTime(t.Values[0]) {
			v.fault("must be one number, time or date for %s", t.Op)
		}
	}
}

var decimal = regexp.MustCompile(`^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?$`)

func isNumber(text string) bool { return decimal.MatchString(text) }

func isTime(text string) bool {
	_, err := time.Parse(time.RFC3339Nano, text)
	_, dateErr := time.Parse(time.DateOnly, text)
	return err == nil || dateErr == nil
}

// checkAsked reports what a webhook asks that cannot be answered for the events that it wants.
func checkAsked(w Webhook, given map[string]value) {
	createdBy, ok := given["createdById"]
	if w.RequireMembership && w.CreatedByID == "" && (!ok || !createdBy.hasFault()) {
		given["requireMembership"].faultAtKey("needs createdById, the user who must be a member")
	}
	filter, ok := given["filter"]
	events, named := given["events"]
	if named = named && !events.isEmpty(); !ok || named && len(w.Events) == 0 { // what is named is at fault already
		return
	}
	subscribed := w.Events
	if !named {
		subscribed = filter.in.opts.Events
		if w.Format == FormatRecord {
			subscribed = filter.in.opts.Records
		}
	}
	for _, f := range filterFields {
		line, asks := w.place.keys["filter."+f.name]
		allowed, restricted := filter.in.opts.FilterEvents[f.name]
		odd := slices.IndexFunc(subscribed, func(event string) bool { return !slices.Contains(allowed, event) })
		switch {
		case !asks || !restricted || odd < 0:
		case named:
			filter.in.fault(line, join(filter.path, f.name), "cannot be asked of "+subscribed[odd]+
				": give that event a webhook without the key")
		default:
			filter.in.fault(line, join(filter.path, f.name), "cannot be asked of "+subscribed[odd]+
				", which a webhook that names no events gets: name the events that are wanted")
		}
	}
}

// readIf checks the syntax. What the text came from is not the file, if it is a reference, and then not repeated.
func readIf(w *Webhook, v value) {
	s, ok := v.scalar()
	switch {
	case !ok:
	case strings.TrimSpace(s.text) == "":
		v.fault("is empty; leave the key out to ask nothing")
	default:
		w.If = s.text
		if check := v.in.opts.CheckExpression; check != nil {
			if err := check(s.text); err != nil && s.resolved {
				v.fault("is no expression that can be used")
			} else if err != nil {
				v.fault("%s", err)
			}
		}
	}
}
