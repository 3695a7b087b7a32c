package mapping

import (
	"testing"
	"time"

	"bluetap/capture"
)

// TestFingerprint holds that it is the same for the same, and another for all that events depend on.
func TestFingerprint(t *testing.T) {
	type input struct {
		columns   []string
		overrides map[string]Override
		webhooks  []Subscription
		version   string
	}
	fingerprint := func(change func(in *input)) string {
		in := &input{columns: []string{"id", "title", "project_id"}, version: "1",
			overrides: map[string]Override{
				"todoList": {Enabled: true, Columns: map[string]string{"title": "title", "projectId": "project_id"}}},
			webhooks: []Subscription{{Webhook: 1, Filter: Filter{Times: map[string]time.Time{"dueStart": time.Unix(1, 0)}}}}}
		change(in)
		model, _, err := Resolve([]capture.Table{catalogTable(1, "todo_lists", in.columns...),
			catalogTable(2, "projects", "id")}, in.overrides)
		if err != nil {
			t.Fatal(err)
		}
		return Fingerprint(model, in.webhooks, in.version)
	}
	same := fingerprint(func(*input) {})
	if again := fingerprint(func(*input) {}); again != same {
		t.Errorf("the same gives %s and %s", same, again)
	}
	seen := map[string]string{same: "nothing"}
	for name, change := range map[string]func(in *input){
		"version":  func(in *input) { in.version = "2" },
		"column":   func(in *input) { in.columns = append(in.columns, "color") },
		"table":    func(in *input) { in.overrides["project"] = Override{} },
		"override": func(in *input) { in.overrides["todoList"] = Override{Enabled: true, Omit: []string{"title"}} },
		"webhook":  func(in *input) { in.webhooks = append(in.webhooks, Subscription{Webhook: 2}) },
		"number":   func(in *input) { in.webhooks[0].Webhook = 2 },
		"events":   func(in *input) { in.webhooks[0].Events = []string{"TODO_LIST_CREATED"} },
		"filter":   func(in *input) { in.webhooks[0].Filter.Times["dueStart"] = time.Unix(2, 0) },
		"if":       func(in *input) { in.webhooks[0].If = "true" },
	} {
		got := fingerprint(change)
		if other, ok := seen[got]; ok {
			t.Errorf("%s changes no more than %s", name, other)
		}
		seen[got] = name
	}
}
