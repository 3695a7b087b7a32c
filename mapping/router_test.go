package mapping

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// routeCases tell which events a subscription gets of changes on top of filterWork.
var routeCases = []struct {
	name    string
	wants   Subscription
	changes string
	want    string
}{
	{"changed", Subscription{Events: []string{"TODO_UPDATED"}, Changed: []string{"title", "duedAt"}}, `
		~todos id=t1 title=New dued_at=2026-03-31_12:00:00.0005+00 todo_list_id=doing
		~todos id=t2 title=Plain todo_list_id=inbox rank=9`, "TODO_UPDATED:t1"},
	{"changed, creation and deletion pass",
		Subscription{Events: []string{"TODO_CREATED", "TODO_DELETED", "TODO_UPDATED"}, Changed: []string{"title"}}, `
		+todos id=t3 title=New todo_list_id=inbox
		~todos id=t1 title=Über_Release todo_list_id=doing
		-todos id=t2`, "TODO_CREATED:t3 TODO_DELETED:t2"},
	{"changed, a relation is no field", Subscription{Events: []string{"TODO_TAG_ADDED"}, Changed: []string{"title"}},
		"+todo_tags id=g2 todo_id=t2 tag_id=bug", ""},
	{"changed, of another entity", Subscription{Events: []string{"TAG_UPDATED", "TODO_NAME_CHANGED"},
		Changed: []string{"color", "title"}}, "~tags id=bug title=bug color=#000000 project_id=web", "TAG_UPDATED:bug"},

	{"a member", Subscription{Member: "ben"}, touchBoth, ""},
	{"member of the one project", Subscription{Member: "ben", Events: []string{"TODO_UPDATED"}}, touchBoth,
		"TODO_UPDATED:t1"},
	{"member of the other", Subscription{Member: "cy", Events: []string{"TODO_UPDATED"}}, touchBoth, "TODO_UPDATED:t2"},
	{"member of none", Subscription{Member: "dan", Events: []string{"TODO_UPDATED"}}, touchBoth, ""},
	{"no longer a member", Subscription{Member: "ben", Events: []string{"TODO_UPDATED"}},
		touchBoth + "\n-project_users id=m1", ""},
	{"a member from now on", Subscription{Member: "dan", Events: []string{"TODO_UPDATED"}},
		touchBoth + "\n+project_users id=m3 project_id=app user_id=dan", "TODO_UPDATED:t2"},
	{"membership of a project that is gone", Subscription{Member: "ben", Events: []string{"TODO_DELETED"}},
		"-project_users id=m1\n-projects id=web\n-todo_lists id=doing\n-todos id=t1", "TODO_DELETED:t1"},
	{"moved away from a member", Subscription{Member: "ben", Events: []string{"TODO_MOVED"}},
		"~todos id=t1 title=One todo_list_id=inbox", "TODO_MOVED:t1"},
	{"moved away, but only the new project is asked for",
		Subscription{Member: "ben", ProjectIDs: []string{"app"}, Events: []string{"TODO_MOVED"}},
		"~todos id=t1 title=One todo_list_id=inbox", ""},
	{"moved away, and left", Subscription{Member: "ben", Events: []string{"TODO_MOVED"}},
		"-project_users id=m1\n~todos id=t1 title=One todo_list_id=inbox", "TODO_MOVED:t1"},
	{"left as the project changed its company", Subscription{Member: "ben", CompanyIDs: []string{"acme"},
		Events: []string{"TODO_NAME_CHANGED"}}, "~projects id=web name=Web company_id=rival\n-project_users id=m1\n" +
		"~todos id=t1 title=New todo_list_id=doing", ""},
	{"membership without a project", Subscription{Member: "ben", Events: []string{"COMMENT_CREATED"}},
		"+comments id=c2 text=Hi discussion_id=d", ""},

	{"lists by a filter", Subscription{Events: []string{"TODO_LIST_NAME_CHANGED", "TODO_LIST_MOVED"},
		Filter: listed("todoListIds", "inbox")}, `
		~todo_lists id=inbox title=In project_id=app
		~todo_lists id=doing title=Do project_id=web`, "TODO_LIST_NAME_CHANGED:inbox"},
	{"lists by their titles", Subscription{Events: []string{"TODO_LIST_NAME_CHANGED"},
		Filter: Filter{Match: "startsMatching", Lists: map[string][]string{"todoListTitles": {"In", "Doing"}}}}, `
		~todo_lists id=inbox title=In project_id=app
		~todo_lists id=doing title=Do project_id=web`, "TODO_LIST_NAME_CHANGED:inbox"},
	{"records of a filter", Subscription{Events: RecordTypes(), Filter: listed("tagIds", "bug"),
		Changed: []string{"position"}, If: `record.position == 2.5`}, touchBoth, "RECORD_UPDATED:t1"},
	{"records by their edge", Subscription{Events: RecordTypes(), Filter: Filter{Match: "startsMatching",
		Lists: map[string][]string{"tagIds": {"bug"}}}}, "+todo_tags id=edge todo_id=t2 tag_id=bug", "RECORD_UPDATED:t2"},
	{"all together", Subscription{Events: []string{"TODO_UPDATED"}, ProjectIDs: []string{"web"},
		CompanyIDs: []string{"acme"}, Member: "ben", Filter: listed("tagIds", "bug"), Changed: []string{"position"},
		If: `record.position == 2.5`},
		touchBoth, "TODO_UPDATED:t1"},
}

func TestRoutes(t *testing.T) {
	for _, c := range routeCases {
		t.Run(c.name, func(t *testing.T) {
			w := filterWorld(t)
			if got := w.routed(w.router(c.wants), c.changes, 1)[0]; got != c.want {
				t.Errorf("gets %q, want %q", got, c.want)
			}
		})
	}
}

// TestRoutesAlikeWhenReplayed asks again, as after a crash, with a router of its own.
func TestRoutesAlikeWhenReplayed(t *testing.T) {
	var first []string
	for range 3 {
		w := filterWorld(t)
		subscriptions := make([]Subscription, len(expressionCases))
		for i, c := range expressionCases {
			subscriptions[i] = Subscription{Events: expressionEvents, If: c.text}
		}
		got := w.routed(w.router(subscriptions...), expressionChanges, len(subscriptions))
		if first == nil {
			first = got
		} else if !slices.Equal(first, got) {
			t.Fatalf("routed otherwise:\n%q\n%q", first, got)
		}
	}
}

// TestRefusedByTheModel has subscriptions that ask for what the database does not have.
func TestRefusedByTheModel(t *testing.T) {
	tables := [][]string{{"todos", "id", "title", "todo_list_id", "done:bool"}, {"tags", "id", "title"}}
	cases := []struct {
		wants Subscription
		want  string
	}{
		{Subscription{Events: []string{"TODO_UPDATED"}, Member: "ben"},
			"requireMembership: the database has no table for entity todoList"},
		{Subscription{Events: []string{"TAG_UPDATED"}, ProjectIDs: []string{"web"}},
			"projectIds: table tags has no column for projectId"},
		{Subscription{Events: []string{"TODO_UPDATED"}, CompanyIDs: []string{"acme"}},
			"companyIds: the database has no table for entity todoList"},
		{Subscription{Events: []string{"TODO_UPDATED"}, Filter: listed("tagTitles", "x")},
			"filter.tagTitles: the database has no table for entity todoTag"},
		{Subscription{Events: []string{"TODO_UPDATED"}, If: `"x" in tags`}, "if: unknown name tags (1:8)"},
		{Subscription{Filter: listed("colors", "#fff")}, "filter.colors: table todos has no column for color"},
		{Subscription{Filter: listed("tagIds", "a")},
			"filter.tagIds: the database has no table for entity todoTag"},
		{Subscription{Filter: fieldIs("a", "IS")},
			"filter.fields: the database has no table for entity todoCustomField"},
		{Subscription{Filter: flagged("hasDueDate", true)}, "filter.hasDueDate: table todos has no column for duedAt"},
		{Subscription{Changed: []string{"title", "duedAt"}}, "changed: no event that is wanted sends a field duedAt"},
		{Subscription{Events: []string{"TAG_UPDATED"}, Changed: []string{"done"}},
			"changed: no event that is wanted sends a field done"},
		{Subscription{If: `current.titel == "x"`}, "if: unknown field titel (1:9)"},
		{Subscription{Events: []string{"TAG_UPDATED"}, If: `current.done`}, "if: unknown field done (1:9)"},
		{Subscription{If: "done\n  or title"}, "if: unknown name done (1:1)"},
		{Subscription{Filter: listed("colors", "a"), Changed: []string{"x"}}, "filter.colors: table todos has no column " +
			"for color; changed: no event that is wanted sends a field x"},
	}
	w := newWorldOf(t, tables, nil)
	for _, c := range cases {
		_, err := NewRouter(w.model, []Subscription{c.wants}, nil)
		var faults KeyErrors
		if !errors.As(err, &faults) || err.Error() != c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
	if _, err := NewRouter(w.model, []Subscription{{Filter: listed("todoIds", "a"), Changed: []string{"done"},
		If: "current.done"}}, nil); err != nil {
		t.Error(err)
	}
}

// TestManyWebhooks has a thousand webhooks that ask, of which none matches: what is asked is read once
// for all, and only an expression's run takes some memory of its own.
func TestManyWebhooks(t *testing.T) {
	w := filterWorld(t)
	kinds := []Subscription{
		{ProjectIDs: []string{"nope"}}, {Filter: listed("todoIds", "nope")}, {Filter: listed("todoListTitles", "nope")},
		{Filter: listed("assigneeIds", "nope")}, {Filter: listed("tagTitles", "nope")}, {Filter: phrase("search", "nope")},
		{Filter: fieldIs("price", "EQ", "7")}, {Filter: flagged("hasChecklist", false)}, {Changed: []string{"title"}},
		{Member: "nobody"}, {If: `"nope" in tags or record.todoList.project.company.name == "Nope"`},
	}
	subscriptions := make([]Subscription, 1000)
	for i := range subscriptions {
		subscriptions[i] = kinds[i%len(kinds)]
		subscriptions[i].Events = []string{"TODO_UPDATED"}
	}
	r := w.router(subscriptions...)
	events := 0
	w.apply(lines("~todos id=t1 title=Über_Release todo_list_id=doing position=7"), func(e *Event) {
		if e.Type != "TODO_UPDATED" {
			return
		}
		events++
		allocations := testing.AllocsPerRun(10, func() {
			if webhooks, err := r.Route(e); err != nil || len(webhooks) > 0 {
				t.Errorf("routed to %v, %v", webhooks, err)
			}
		})
		if allocations > 1000 {
			t.Errorf("%.0f allocations for an event and 1000 webhooks", allocations)
		}
	})
	if events != 1 {
		t.Errorf("%d events, want 1", events)
	}
}

// TestFilterEvents holds which events a filter can be asked of.
func TestFilterEvents(t *testing.T) {
	events := FilterEvents()
	for _, event := range []string{"TODO_CREATED", "TODO_UPDATED", "COMMENT_DELETED", "TODO_CHECKLIST_ITEM_CREATED"} {
		if !slices.Contains(events["assigneeIds"], event) || !slices.Contains(events["fields"], event) {
			t.Errorf("assigneeIds and fields cannot be asked of %s", event)
		}
	}
	for key, of := range events {
		aboutLists := slices.Contains(of, "TODO_LIST_CREATED")
		if aboutLists != strings.HasPrefix(key, "todoList") || slices.Contains(of, "TAG_CREATED") {
			t.Errorf("%s can be asked of %v", key, of)
		}
	}
}
