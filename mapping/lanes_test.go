package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// someWork is what the cases below start from.
const someWork = `
	+companies id=acme
	+companies id=rival
	+projects id=web company_id=acme
	+projects id=app company_id=rival
	+todo_lists id=backlog title=Backlog project_id=web
	+todo_lists id=inbox title=Inbox project_id=app
	+todos id=t1 title=One todo_list_id=backlog
	+todos id=t2 title=Two todo_list_id=inbox
	+checklists id=k1 title=Steps todo_id=t1
	+checklists id=k2 title=Steps todo_id=t2
	+checklist_items id=i1 title=Step checklist_id=k1
	+checklist_items id=lost title=Step checklist_id=nowhere
	+comments id=c1 text=Hi todo_id=t1
	+tags id=bug title=bug project_id=web
	+custom_fields id=size name=Size project_id=web
	+custom_field_options id=small title=S custom_field_id=size
	+todo_users id=u1 todo_id=t1 user_id=ben
	+todo_custom_fields id=v1 number=1 todo_id=t1 custom_field_id=size`

// laneCases tell, for changes on top of someWork, each event with its records, those of the current value first, and
// the projects and companies that it belongs to.
var laneCases = []struct{ name, changes, want string }{
	{"todo", "~todos id=t1 title=New todo_list_id=backlog",
		"TODO_NAME_CHANGED todo:t1 [web] [acme]|TODO_UPDATED todo:t1 [web] [acme]"},
	{"todo moved to another project", "~todos id=t1 title=One todo_list_id=inbox",
		"TODO_MOVED todo:t1 [app web] [rival acme]|TODO_UPDATED todo:t1 [app web] [rival acme]"},
	{"checklist", "~checklists id=k1 title=New todo_id=t1", "TODO_CHECKLIST_NAME_CHANGED todo:t1 [web] [acme]"},
	{"item", "~checklist_items id=i1 title=New checklist_id=k1",
		"TODO_CHECKLIST_ITEM_NAME_CHANGED todo:t1 [web] [acme]"},
	{"item moved to another todo's checklist", "~checklist_items id=i1 title=New checklist_id=k2",
		"TODO_CHECKLIST_ITEM_NAME_CHANGED todo:t2 todo:t1 [app web] [rival acme]"},
	{"item without its checklist", "~checklist_items id=lost title=New checklist_id=nowhere",
		"TODO_CHECKLIST_ITEM_NAME_CHANGED checklist:nowhere [] []"},
	{"item created with its todo", `
		+todos id=t3 title=Three todo_list_id=backlog
		+checklists id=k3 title=Steps todo_id=t3
		+checklist_items id=i3 title=Step checklist_id=k3`,
		"TODO_CREATED todo:t3 [web] [acme]|TODO_CHECKLIST_CREATED todo:t3 [web] [acme]|" +
			"TODO_CHECKLIST_ITEM_CREATED todo:t3 [web] [acme]"},
	{"comment moved to another todo", "~comments id=c1 text=New todo_id=t2",
		"COMMENT_UPDATED todo:t2 todo:t1 [app web] [rival acme]"},
	{"comment on a discussion", "+comments id=c9 text=Hi discussion_id=d1", "COMMENT_CREATED comment:c9 [] []"},
	{"comment that leaves its todo", "~comments id=c1 text=New discussion_id=d1",
		"COMMENT_UPDATED comment:c1 todo:t1 [web] [acme]"},
	{"tag", "~tags id=bug title=New project_id=web", "TAG_UPDATED tag:bug [web] [acme]"},
	{"list", "~todo_lists id=inbox title=New project_id=app", "TODO_LIST_NAME_CHANGED todoList:inbox [app] [rival]"},
	{"list moved", "~todo_lists id=inbox title=Inbox project_id=web",
		"TODO_LIST_MOVED todoList:inbox [web app] [acme rival]"},
	{"custom field by its option", "~custom_field_options id=small title=XS custom_field_id=size",
		"CUSTOM_FIELD_UPDATED customField:size [web] [acme]"},
	{"assignee replaced", "~todo_users id=u1 todo_id=t1 user_id=cy",
		"TODO_ASSIGNEE_ADDED todo:t1 [web] [acme]|TODO_ASSIGNEE_REMOVED todo:t1 [web] [acme]"},
	{"assignee handed to another todo", "~todo_users id=u1 todo_id=t2 user_id=ben",
		"TODO_ASSIGNEE_ADDED todo:t2 [app] [rival]|TODO_ASSIGNEE_REMOVED todo:t1 [web] [acme]"},
	{"tag of a todo", "+todo_tags id=g1 todo_id=t1 tag_id=bug", "TODO_TAG_ADDED todo:t1 [web] [acme]"},
	{"custom field of a todo", "~todo_custom_fields id=v1 number=2 todo_id=t1 custom_field_id=size",
		"TODO_CUSTOM_FIELD_UPDATED todo:t1 [web] [acme]"},
	{"option of a todo's custom field",
		"+todo_custom_field_options id=o1 todo_custom_field_id=v1 custom_field_option_id=small",
		"TODO_CUSTOM_FIELD_UPDATED todo:t1 [web] [acme]"},
	{"assignee of an item", "+checklist_item_users id=x1 checklist_item_id=i1 user_id=ben",
		"TODO_CHECKLIST_ITEM_ASSIGNEE_ADDED todo:t1 [web] [acme]"},
	{"cascade of a project", `
		-projects id=web
		-todo_lists id=backlog
		-tags id=bug
		-custom_fields id=size
		-custom_field_options id=small
		-todo_custom_fields id=v1
		-todos id=t1
		-checklists id=k1
		-todo_users id=u1
		-comments id=c1
		-checklist_items id=i1`,
		"TODO_LIST_DELETED todoList:backlog [web] [acme]|TAG_DELETED tag:bug [web] [acme]|" +
			"CUSTOM_FIELD_DELETED customField:size [web] [acme]|TODO_DELETED todo:t1 [web] [acme]|" +
			"TODO_CHECKLIST_DELETED todo:t1 [web] [acme]|COMMENT_DELETED todo:t1 [web] [acme]|" +
			"TODO_CHECKLIST_ITEM_DELETED todo:t1 [web] [acme]"},
}

func TestLanes(t *testing.T) {
	for _, c := range laneCases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.apply(lines(someWork), func(*Event) {})
			var got []string
			w.apply(lines(c.changes), func(e *Event) {
				if !e.short() { // whose record is the todo, too
					got = append(got, lanesOf(t, e))
				}
			})
			if joined := strings.Join(got, "|"); joined != c.want {
				t.Errorf("events:\n got %s\nwant %s", joined, c.want)
			}
		})
	}
}

// TestLanesOfOmittedKeys leaves all foreign keys out of payloads: events, records and projects are the same, but that
// what is not sent is no change of TODO_UPDATED.
func TestLanesOfOmittedKeys(t *testing.T) {
	overrides := map[string]Override{}
	for _, d := range definitions {
		var keys []string
		for _, name := range d.scalars {
			if strings.HasSuffix(name, "Id") {
				keys = append(keys, name)
			}
		}
		overrides[d.name] = Override{Enabled: true, Omit: keys}
	}
	for _, c := range laneCases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorldOf(t, worldTables, overrides)
			w.apply(lines(someWork), func(*Event) {})
			var got, want []string
			w.apply(lines(c.changes), func(e *Event) {
				if e.Type != "TODO_UPDATED" && !e.short() {
					got = append(got, lanesOf(t, e))
				}
			})
			for event := range strings.SplitSeq(c.want, "|") {
				if !strings.HasPrefix(event, "TODO_UPDATED ") {
					want = append(want, event)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("events:\n got %s\nwant %s", got, want)
			}
		})
	}
}

// lanesOf says an event's type, records, projects and companies.
func lanesOf(t *testing.T, e *Event) string {
	t.Helper()
	records, err := e.Records()
	if err != nil {
		t.Fatal(err)
	}
	projects, companies, err := e.Scope()
	if err != nil {
		t.Fatal(err)
	}
	text := e.Type
	lanes := map[uint64]bool{}
	for _, r := range records {
		text += fmt.Sprintf(" %s:%s", r.Entity, r.ID)
		lanes[r.Lane()] = true
	}
	if len(lanes) != len(records) {
		t.Errorf("%s: different records share a lane", text)
	}
	return fmt.Sprintf("%s %v %v", text, projects, companies)
}
