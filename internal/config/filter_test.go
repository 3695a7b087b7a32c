package config

import (
	"slices"
	"strings"
	"testing"
)

// ask returns hook for events of todos with a filter's key on line 8.
func ask(key string) string { return in("events: [TODO_CREATED]\n  filter:\n    " + key) }

// fields returns hook with one entry of a filter's fields, on line 8.
func fields(entry string) string { return ask("fields: [{" + entry + "}]") }

const emptyAsked = "must have at least one entry; leave the key out to ask nothing"

var filterFaultCases = []struct{ name, text, want string }{
	{"filter a list", in("filter: [done]"), "6: webhooks[0].filter: must be a mapping of keys to values"},
	{"filter key", ask("todoListTitle: [a]"),
		"8: webhooks[0].filter.todoListTitle: unknown key; did you mean todoListTitles?"},
	{"filter list a text", ask("tagIds: a"), "8: webhooks[0].filter.tagIds: must be a list"},
	{"filter list empty", ask("tagIds: []"), "8: webhooks[0].filter.tagIds: " + emptyAsked},
	{"filter list null", ask("tagIds:"), "8: webhooks[0].filter.tagIds: " + emptyAsked},
	{"filter list entry", ask("tagIds: [a, '']"), "8: webhooks[0].filter.tagIds[1]: is empty"},
	{"filter flag", ask("done: 'yes'"), "8: webhooks[0].filter.done: must be true or false"},
	{"filter flag null", ask("done:"), "8: webhooks[0].filter.done: has no value"},
	{"filter date", ask("dueEnd: 31.3.2026"),
		"8: webhooks[0].filter.dueEnd: must be a time such as 2026-03-31T18:00:00Z, or a date such as 2026-03-31"},
	{"filter date that is none", ask("createdStart: 2026-02-30"),
		"8: webhooks[0].filter.createdStart: must be a time such as 2026-03-31T18:00:00Z, or a date such as 2026-03-31"},
	{"filter text empty", ask("search: ''"), "8: webhooks[0].filter.search: is empty"},
	{"match", ask("done: true\n    match: startMatching"), "9: webhooks[0].filter.match: must be one of current, " +
		"previous, startsMatching, stopsMatching; did you mean startsMatching?"},
	{"match alone", ask("match: previous"),
		"8: webhooks[0].filter.match: says how the other keys are asked, and there is none"},

	{"fields empty", ask("fields: []"), "8: webhooks[0].filter.fields: " + emptyAsked},
	{"fields entry", ask("fields: [a]"), "8: webhooks[0].filter.fields[0]: must be a mapping of keys to values"},
	{"fields key", fields("customFieldId: f, op: EQ, value: 1, values: [1]"),
		"8: webhooks[0].filter.fields[0].value: unknown key; did you mean values?"},
	{"field absent", fields("op: EQ, values: [1]"), "8: webhooks[0].filter.fields[0].customFieldId: is required"},
	{"op absent", fields("customFieldId: f, values: [1]"), "8: webhooks[0].filter.fields[0].op: is required"},
	{"op", fields("customFieldId: f, op: gte, values: [1]"), "8: webhooks[0].filter.fields[0].op: must be one of EQ, " +
		"NE, GT, GTE, LT, LTE, IN, NIN, CONTAINS, NOT_CONTAINS, IS, NOT; did you mean GTE?"},
	{"values absent", fields("customFieldId: f, op: EQ"), "8: webhooks[0].filter.fields[0].values: is required"},
	{"values empty", fields("customFieldId: f, op: IN, values: []"),
		"8: webhooks[0].filter.fields[0].values: " + emptyAsked},
	{"values null", fields("customFieldId: f, op: EQ, values: null"),
		"8: webhooks[0].filter.fields[0].values: has no value"},
	{"values entry null", fields("customFieldId: f, op: EQ, values: [null]"),
		"8: webhooks[0].filter.fields[0].values[0]: has no value"},
	{"values not ordered", fields("customFieldId: f, op: GT, values: [soon]"),
		"8: webhooks[0].filter.fields[0].values: must be one number, time or date for GT"},
	{"two bounds", fields("customFieldId: f, op: LTE, values: [1, 2]"),
		"8: webhooks[0].filter.fields[0].values: must be one number, time or date for LTE"},
	{"values of IS", fields("customFieldId: f, op: IS, values: [small]"),
		"8: webhooks[0].filter.fields[0].values: must be null, true or false for IS; EQ and NE compare values"},

	{"asked of another event", in("events: [TODO_CREATED, TAG_DELETED]\n  filter: {assigneeIds: [a]}"),
		"7: webhooks[0].filter.assigneeIds: cannot be asked of TAG_DELETED: " +
			"give that event a webhook without the key"},
	{"asked of a list", in("events: [TODO_LIST_MOVED]\n  filter:\n    todoListTitles: [a]\n    fields:\n" +
		"    - {customFieldId: f, op: IS}"), "9: webhooks[0].filter.fields: cannot be asked of TODO_LIST_MOVED: " +
		"give that event a webhook without the key"},
	{"asked of all events", in("filter: {assigneeIds: [a]}"), "6: webhooks[0].filter.assigneeIds: cannot be asked of " +
		"TAG_DELETED, which a webhook that names no events gets: name the events that are wanted"},
	{"asked of all events, named as none", in("filter: {fields: [{customFieldId: f, op: IS}]}\n  events: []"),
		"6: webhooks[0].filter.fields: cannot be asked of TAG_DELETED, which a webhook that names no events gets: " +
			"name the events that are wanted"},
	{"asked of an unknown event", in("filter: {assigneeIds: [a]}\n  events: [TAG]"),
		"7: webhooks[0].events[0]: unknown event; bluetap events lists them"},

	{"changed a text", in("changed: title"), "6: webhooks[0].changed: must be a list"},
	{"changed null", in("changed: [title, null]"), "6: webhooks[0].changed[1]: has no value"},
	{"membership of nobody", in("requireMembership: true"),
		"6: webhooks[0].requireMembership: needs createdById, the user who must be a member"},
	{"membership of an empty user", in("createdById: ''\n  requireMembership: true"),
		"7: webhooks[0].requireMembership: needs createdById, the user who must be a member"},
	{"membership no flag", in("requireMembership: owner"), "6: webhooks[0].requireMembership: must be true or false"},
	{"if syntax", in("if: 'len(tags'"), "6: webhooks[0].if: a bracket is open (1:1)"},
	{"if empty", in("if: ' '"), "6: webhooks[0].if: is empty; leave the key out to ask nothing"},
	{"if from elsewhere", in("if: env:HUNTER"), "6: webhooks[0].if: is no expression that can be used"},
}

// TestFaultOfAKey holds that what only the database can tell is said with the line of its key.
func TestFaultOfAKey(t *testing.T) {
	c, dir := mustLoad(t, in("events: [TODO_CREATED]\n  filter:\n    done: true\n    tagIds: [a]\n  changed: [a]"), nil)
	w := c.Webhooks[0]
	var got []string
	for _, f := range []Fault{w.Fault("filter.tagIds", "x"), w.Fault("changed", "y"), w.Fault("if", "z")} {
		got = append(got, strings.TrimPrefix(f.String(), dir+"/bluetap.yaml:"))
	}
	want := []string{"9: webhooks[0].filter.tagIds: x", "10: webhooks[0].changed: y", "4: webhooks[0].if: z"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
