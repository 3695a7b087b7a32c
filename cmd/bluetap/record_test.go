package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// tellsOfRecord holds, for each event that says that a todo came, went or changed as a record, what the short form says
// instead.
var tellsOfRecord = map[string]string{
	"TODO_CREATED":              "RECORD_CREATED",
	"TODO_DELETED":              "RECORD_DELETED",
	"TODO_UPDATED":              "RECORD_UPDATED",
	"TODO_ASSIGNEE_ADDED":       "RECORD_UPDATED",
	"TODO_ASSIGNEE_REMOVED":     "RECORD_UPDATED",
	"TODO_TAG_ADDED":            "RECORD_UPDATED",
	"TODO_TAG_REMOVED":          "RECORD_UPDATED",
	"TODO_CUSTOM_FIELD_UPDATED": "RECORD_UPDATED",
}

// wantRecords holds that over all that was played the short form told of the same todos in the same transactions as
// the long one, and of each of them once.
func wantRecords(t *testing.T, s *stage) {
	t.Helper()
	told := map[string]int{}
	for _, d := range s.records.deliveries() {
		told[d.event+" "+transactionAndTodo(t, d)]++
	}
	want := map[string]bool{}
	for _, d := range slices.Concat(s.to.deliveries(), s.extensions.deliveries()) {
		if event, ok := tellsOfRecord[d.event]; ok {
			want[event+" "+transactionAndTodo(t, d)] = true
		}
	}
	for _, record := range slices.Sorted(maps.Keys(want)) {
		if told[record] != 1 {
			t.Errorf("%s was told %d times", record, told[record])
		}
		delete(told, record)
	}
	if len(told) > 0 {
		t.Errorf("told without a cause: %v", told)
	}
	if len(want) == 0 {
		t.Error("nothing was told")
	}
}

// transactionAndTodo names the commit of a delivery and the todo that it is about.
func transactionAndTodo(t *testing.T, d delivery) string {
	t.Helper()
	type todo struct{ ID string }
	var body struct{ Record, PreviousValue, CurrentValue *todo }
	if err := json.Unmarshal([]byte(d.body), &body); err != nil {
		t.Fatalf("%s: %v", d.body, err)
	}
	for _, value := range []*todo{body.Record, body.CurrentValue, body.PreviousValue} {
		if value != nil {
			return strings.Split(d.id, "_")[2] + " " + value.ID
		}
	}
	t.Fatalf("no todo in %s", d.body)
	return ""
}
