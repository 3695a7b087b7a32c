package mapping

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// filterTables are the tables of the worlds that filters are tried in.
var filterTables = [][]string{
	{"companies", "id", "name"},
	{"projects", "id", "name", "company_id"},
	{"project_users", "id", "project_id", "user_id"},
	{"todo_lists", "id", "title", "project_id"},
	{"todos", "id", "title", "html", "text", "archived:bool", "done:bool", "dued_at:time", "created_at:time",
		"todo_list_id", "color", "position:numeric", "rank:int", "meta:json", "deleted_at:time"},
	{"comments", "id", "text", "todo_id", "discussion_id"},
	{"checklists", "id", "title", "todo_id"},
	{"checklist_items", "id", "title", "done:bool", "checklist_id"},
	{"tags", "id", "title", "color", "project_id"},
	{"custom_fields", "id", "name", "type", "project_id"},
	{"custom_field_options", "id", "title", "custom_field_id"},
	{"todo_users", "id", "todo_id", "user_id"},
	{"todo_tags", "id", "todo_id", "tag_id"},
	{"todo_custom_fields", "id", "number:numeric", "text", "country_codes", "checked:bool", "todo_id", "custom_field_id",
		"start_date:time", "end_date:time"},
	{"todo_custom_field_options", "id", "todo_custom_field_id", "custom_field_option_id"},
}

// filterWork is what the cases start from: t1 has everything, t2 nothing.
const filterWork = `
	+companies id=acme name=Acme
	+companies id=rival name=Rival
	+projects id=web name=Web company_id=acme
	+projects id=app name=App company_id=rival
	+project_users id=m1 project_id=web user_id=ben
	+project_users id=m2 project_id=app user_id=cy
	+todo_lists id=doing title=Doing project_id=web
	+todo_lists id=inbox title=Inbox project_id=app
	+tags id=bug title=bug color=#ff0000 project_id=web
	+tags id=late title=late color=#00ff00 project_id=web
	+custom_fields id=price type=NUMBER project_id=web
	+custom_fields id=name type=TEXT_SINGLE project_id=web
	+custom_fields id=size type=SELECT_MULTI project_id=web
	+custom_fields id=land type=COUNTRY project_id=web
	+custom_fields id=agreed type=CHECKBOX project_id=web
	+custom_fields id=when type=DATE project_id=web
	+custom_fields id=place type=LOCATION project_id=web
	+custom_field_options id=small custom_field_id=size
	+custom_field_options id=large custom_field_id=size
	+todos id=t1 title=Über_Release text=Ship_It archived=f done=f dued_at=2026-03-31_12:00:00.0005+00 ` +
	`created_at=2026-01-02_03:04:05+00 todo_list_id=doing color=#123456 position=1.50 rank=3 meta={"a":{"b":[1,"x"]}}
	+todos id=t2 title=Plain archived=t done=t created_at=2026-02-02_00:00:00+00 todo_list_id=inbox
	+checklists id=k1 title=Steps todo_id=t1
	+checklist_items id=i1 title=Step checklist_id=k1
	+comments id=c1 text=Hi todo_id=t1
	+todo_users id=u1 todo_id=t1 user_id=ben
	+todo_tags id=g1 todo_id=t1 tag_id=bug
	+todo_custom_fields id=v1 number=100.500 todo_id=t1 custom_field_id=price
	+todo_custom_fields id=v2 text=Ada_Lovelace todo_id=t1 custom_field_id=name
	+todo_custom_fields id=v3 todo_id=t1 custom_field_id=size
	+todo_custom_field_options id=o1 todo_custom_field_id=v3 custom_field_option_id=small
	+todo_custom_fields id=v4 country_codes=DE,SE text=Germany,_Sweden todo_id=t1 custom_field_id=land
	+todo_custom_fields id=v5 checked=t todo_id=t1 custom_field_id=agreed
	+todo_custom_fields id=v6 start_date=2026-05-01_00:00:00+00 end_date=2026-05-03_00:00:00+00 ` +
	`todo_id=t1 custom_field_id=when
	+todo_custom_fields id=v7 text=Berlin todo_id=t1 custom_field_id=place`

// Both of them are changed, and told of, by this.
const touchBoth = `
	~todos id=t1 title=Über_Release text=Ship_It archived=f done=f dued_at=2026-03-31_12:00:00.0005+00 ` +
	`created_at=2026-01-02_03:04:05+00 todo_list_id=doing color=#123456 position=2.50 rank=3 meta={"a":{"b":[1,"x"]}}
	~todos id=t2 title=Plain archived=t done=t created_at=2026-02-02_00:00:00+00 todo_list_id=inbox position=1`

// filterWorld is a world with filterWork in it.
func filterWorld(t *testing.T) *world {
	t.Helper()
	w := newWorldOf(t, filterTables, nil)
	w.apply(lines(filterWork), func(*Event) {})
	return w
}

// router returns the router of subscriptions, numbered as they stand.
func (w *world) router(subscriptions ...Subscription) *Router {
	w.t.Helper()
	for i := range subscriptions {
		subscriptions[i].Webhook = uint32(i)
	}
	r, err := NewRouter(w.model, subscriptions, func(webhook uint32, at Position) {
		w.failed = append(w.failed, at)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// routed applies changes and returns, by subscription, the events that it gets, as TYPE:key.
func (w *world) routed(r *Router, changes string, subscriptions int) []string {
	w.t.Helper()
	got := make([]string, subscriptions)
	w.apply(lines(changes), func(e *Event) {
		webhooks, err := r.Route(e)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, n := range webhooks {
			got[n] = strings.TrimSpace(got[n] + " " + e.Type + ":" + e.Key)
		}
	})
	return got
}

func listed(key string, values ...string) Filter {
	return Filter{Lists: map[string][]string{key: values}}
}
func flagged(key string, is bool) Filter { return Filter{Flags: map[string]bool{key: is}} }
func phrase(key, text string) Filter     { return Filter{Texts: map[string]string{key: text}} }

func timed(key, at string) Filter {
	parsed, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		panic(err)
	}
	return Filter{Times: map[string]time.Time{key: parsed}}
}

func fieldIs(id, op string, values ...string) Filter {
	return Filter{Fields: []FieldTest{{id, op, values}}}
}

// filterCases tell of a filter whether t1 and t2 match.
var filterCases = []struct {
	name   string
	filter Filter
	want   string // the todos that match
}{
	{"nothing asked", Filter{}, "t1 t2"},
	{"todoIds", listed("todoIds", "x", "t1"), "t1"},
	{"todoListIds", listed("todoListIds", "inbox"), "t2"},
	{"todoListTitles", listed("todoListTitles", "Doing", "doing"), "t1"},
	{"todoListTitles, another case", listed("todoListTitles", "doing"), ""},
	{"assigneeIds", listed("assigneeIds", "cy", "ben"), "t1"},
	{"notAssigneeIds", listed("notAssigneeIds", "ben"), "t2"},
	{"unassigned", flagged("unassigned", true), "t2"},
	{"not unassigned", flagged("unassigned", false), "t1"},
	{"tagIds", listed("tagIds", "bug"), "t1"},
	{"tagTitles", listed("tagTitles", "late", "bug"), "t1"},
	{"tagTitles, none of them", listed("tagTitles", "late"), ""},
	{"tagColors", listed("tagColors", "#ff0000"), "t1"},
	{"notTagIds", listed("notTagIds", "late"), "t1 t2"},
	{"notTagIds, one of them", listed("notTagIds", "bug", "late"), "t2"},
	{"colors", listed("colors", "#123456"), "t1"},
	{"done", flagged("done", true), "t2"},
	{"not archived", flagged("archived", false), "t1"},
	{"hasTag", flagged("hasTag", true), "t1"},
	{"no tag", flagged("hasTag", false), "t2"},
	{"hasDueDate", flagged("hasDueDate", true), "t1"},
	{"hasDescription", flagged("hasDescription", false), "t2"},
	{"hasChecklist", flagged("hasChecklist", true), "t1"},
	{"dueStart is inclusive", timed("dueStart", "2026-03-31T12:00:00.0005Z"), "t1"},
	{"dueStart, a moment later", timed("dueStart", "2026-03-31T12:00:00.000501Z"), ""},
	{"dueEnd is inclusive", timed("dueEnd", "2026-03-31T14:00:00.0005+02:00"), "t1"},
	{"dueEnd, a moment earlier", timed("dueEnd", "2026-03-31T12:00:00.0004Z"), ""},
	{"createdStart", timed("createdStart", "2026-01-03T00:00:00Z"), "t2"},
	{"createdEnd", timed("createdEnd", "2026-01-03T00:00:00Z"), "t1"},
	{"search in the title, any case", phrase("search", "über rel"), "t1"},
	{"search in the text", phrase("search", "SHIP"), "t1"},
	{"recordName", phrase("recordName", "Plain"), "t2"},
	{"recordName is the whole name", phrase("recordName", "Pla"), ""},
	{"keys are ANDed", Filter{Lists: map[string][]string{"tagIds": {"bug"}, "todoIds": {"t1"}},
		Flags: map[string]bool{"done": true}}, ""},

	{"number EQ", fieldIs("price", "EQ", "7", "100.5"), "t1"},
	{"number EQ no number", fieldIs("price", "EQ", "a lot"), ""},
	{"number NE", fieldIs("price", "NE", "100.50"), "t2"},
	{"number IN", fieldIs("price", "IN", "100.5"), "t1"},
	{"number NIN", fieldIs("price", "NIN", "1", "2"), "t1 t2"},
	{"number GT, not as text", fieldIs("price", "GT", "20"), "t1"},
	{"number GT itself", fieldIs("price", "GT", "100.5"), ""},
	{"number GTE itself", fieldIs("price", "GTE", "1005e-1"), "t1"},
	{"number LT", fieldIs("price", "LT", "100.50000000000000000001"), "t1"},
	{"number LTE", fieldIs("price", "LTE", "100.49999999999999999999"), ""},
	{"number IS null", fieldIs("price", "IS"), "t2"},
	{"number NOT null", fieldIs("price", "NOT"), "t1"},
	{"text EQ", fieldIs("name", "EQ", "Ada Lovelace"), "t1"},
	{"text CONTAINS", fieldIs("name", "CONTAINS", "x", "Love"), "t1"},
	{"text CONTAINS, another case", fieldIs("name", "CONTAINS", "love"), ""},
	{"text NOT_CONTAINS", fieldIs("name", "NOT_CONTAINS", "Love"), "t2"},
	{"text has no order", fieldIs("name", "GT", "1"), ""},
	{"option", fieldIs("size", "IN", "small", "large"), "t1"},
	{"option not chosen", fieldIs("size", "EQ", "large"), ""},
	{"option NIN", fieldIs("size", "NIN", "large"), "t1 t2"},
	{"option CONTAINS", fieldIs("size", "CONTAINS", "small"), "t1"},
	{"option IS null", fieldIs("size", "IS"), "t2"},
	{"country by code", fieldIs("land", "IN", "FR", "SE"), "t1"},
	{"country by name", fieldIs("land", "EQ", "Sweden"), ""},
	{"checkbox IS true", fieldIs("agreed", "IS", "true"), "t1"},
	{"checkbox IS false, unset too", fieldIs("agreed", "IS", "false"), "t2"},
	{"checkbox NOT true", fieldIs("agreed", "NOT", "true"), "t2"},
	{"checkbox NOT null", fieldIs("agreed", "NOT"), "t1"},
	{"date GTE", fieldIs("when", "GTE", "2026-05-01"), "t1"},
	{"date GT its own day", fieldIs("when", "GT", "2026-05-01"), ""},
	{"date LT", fieldIs("when", "LT", "2026-05-01T00:00:00.001Z"), "t1"},
	{"date EQ overlaps", fieldIs("when", "EQ", "2026-05-02"), "t1"},
	{"date EQ a range", fieldIs("when", "EQ", "2026-01-01", "2026-05-01"), "t1"},
	{"date EQ beside it", fieldIs("when", "EQ", "2026-05-04"), ""},
	{"date NE", fieldIs("when", "NE", "2026-05-04"), "t1 t2"},
	{"a place cannot be asked about", fieldIs("place", "EQ", "Berlin"), ""},
	{"fields are ANDed", Filter{Fields: []FieldTest{{"price", "GT", []string{"1"}},
		{"agreed", "IS", []string{"false"}}}}, ""},
	{"field of another todo", fieldIs("nowhere", "NOT"), ""},
}

func TestFilters(t *testing.T) {
	w := filterWorld(t)
	subscriptions := make([]Subscription, len(filterCases))
	for i, c := range filterCases {
		subscriptions[i] = Subscription{Events: []string{"TODO_UPDATED"}, Filter: c.filter}
	}
	got := w.routed(w.router(subscriptions...), touchBoth, len(filterCases))
	asked := map[string]bool{}
	for i, c := range filterCases {
		if got := strings.ReplaceAll(got[i], "TODO_UPDATED:", ""); got != c.want {
			t.Errorf("%s: matches %q, want %q", c.name, got, c.want)
		}
		for _, k := range filterKeys {
			if _, given := k.compile(c.filter); given {
				asked[k.name] = true
			}
		}
	}
	for _, k := range filterKeys {
		if !asked[k.name] {
			t.Errorf("no case asks %s", k.name)
		}
	}
}

// TestMatch asks one filter in all ways of one series of changes.
func TestMatch(t *testing.T) {
	const events = "TODO_CREATED TODO_DELETED TODO_UPDATED TODO_TAG_ADDED TODO_TAG_REMOVED COMMENT_CREATED " +
		"COMMENT_DELETED TODO_CHECKLIST_ITEM_NAME_CHANGED"
	cases := []struct{ name, changes, current, previous, starts, stops string }{
		{"comes to match", "+todo_tags id=g2 todo_id=t2 tag_id=bug", "TODO_TAG_ADDED:t2", "", "TODO_TAG_ADDED:t2", ""},
		{"no longer matches", "-todo_tags id=g1", "", "TODO_TAG_REMOVED:t1", "", "TODO_TAG_REMOVED:t1"},
		{"goes on to match", "~todos id=t1 title=New todo_list_id=doing", "TODO_UPDATED:t1", "TODO_UPDATED:t1", "", ""},
		{"never matches", "~todos id=t2 title=New todo_list_id=inbox", "", "", "", ""},
		{"created and matches", "+todos id=t3 title=New todo_list_id=doing\n+todo_tags id=g3 todo_id=t3 tag_id=bug",
			"TODO_CREATED:t3", "", "TODO_CREATED:t3", ""},
		{"matched and deleted", "-todo_tags id=g1\n-todos id=t1", "TODO_DELETED:t1", "TODO_DELETED:t1", "",
			"TODO_DELETED:t1"},
		{"matched and soft-deleted", "~todos id=t1 title=One todo_list_id=doing deleted_at=2026-01-01_00:00:00+00",
			"TODO_DELETED:t1", "TODO_DELETED:t1", "", "TODO_DELETED:t1"},
		{"comment", "+comments id=c2 text=Hi todo_id=t1\n-comments id=c1", "COMMENT_DELETED:c1 COMMENT_CREATED:c2",
			"COMMENT_DELETED:c1 COMMENT_CREATED:c2", "", ""},
		{"comment as its todo comes to match", "+comments id=c2 text=Hi todo_id=t2\n+todo_tags id=g2 todo_id=t2 tag_id=bug",
			"COMMENT_CREATED:c2 TODO_TAG_ADDED:t2", "", "COMMENT_CREATED:c2 TODO_TAG_ADDED:t2", ""},
		{"comment on no todo", "+comments id=c2 text=Hi discussion_id=d", "", "", "", ""},
		{"item as its todo no longer matches", "-todo_tags id=g1\n~checklist_items id=i1 title=New checklist_id=k1",
			"", "TODO_CHECKLIST_ITEM_NAME_CHANGED:i1 TODO_TAG_REMOVED:t1", "",
			"TODO_CHECKLIST_ITEM_NAME_CHANGED:i1 TODO_TAG_REMOVED:t1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := filterWorld(t)
			var subscriptions []Subscription
			for _, match := range []string{"", "previous", "startsMatching", "stopsMatching"} {
				f := listed("tagIds", "bug")
				f.Match = match
				subscriptions = append(subscriptions, Subscription{Events: strings.Fields(events), Filter: f})
			}
			got := w.routed(w.router(subscriptions...), c.changes, 4)
			for i := range got {
				words := strings.Fields(got[i])
				slices.Sort(words)
				got[i] = strings.Join(words, " ")
			}
			want := []string{c.current, c.previous, c.starts, c.stops}
			for i := range want {
				words := strings.Fields(want[i])
				slices.Sort(words)
				want[i] = strings.Join(words, " ")
			}
			if !slices.Equal(got, want) {
				t.Errorf("current, previous, startsMatching, stopsMatching:\n got %q\nwant %q", got, want)
			}
		})
	}
}
