package mapping

import (
	"bytes"
	"slices"
	"strings"
	"time"
)

// What a test of a filter costs: nothing but the record's own row, a parent of it, its rows in a relation, or those
// with a parent each.
const (
	costRow = iota
	costParent
	costRelation
	costFields
)

// filterKey is one key of a filter. compile returns the test of its value, false if the filter does not give the key.
type filterKey struct {
	name    string
	cost    int
	ofList  bool   // it can also be asked of a list
	needs   []need // what the database must have for it
	compile func(f Filter) (func(s *subject) (bool, error), bool)
}

// The relations that keys read, each with what it takes to find its rows.
var (
	ofAssignees = []need{{TodoUser, "todoId"}, {TodoUser, "userId"}}
	ofTodoTags  = []need{{TodoTag, "todoId"}, {TodoTag, "tagId"}}
)

func ofTags(field string) []need { return append(slices.Clone(ofTodoTags), need{Tag, field}) }
func ofTodo(field string) []need { return []need{{Todo, field}} }

// filterKeys are the keys in the order of the contract. fields stands apart: it has a vocabulary of its own.
var filterKeys = []filterKey{
	anyOf("todoIds", costRow, ofTodo("id"), inField("id")),
	{name: "todoListIds", ofList: true, needs: []need{{Todo, "todoListId"}}, compile: listTest("todoListIds", inListID)},
	{name: "todoListTitles", cost: costParent, ofList: true, needs: []need{{Todo, "todoListId"}, {TodoList, "title"}},
		compile: listTest("todoListTitles", inListTitle)},
	anyOf("assigneeIds", costRelation, ofAssignees, inAssignees),
	noneOf("notAssigneeIds", costRelation, ofAssignees, inAssignees),
	flag("unassigned", costRelation, ofAssignees, func(s *subject) (bool, error) {
		rows, err := s.assignees()
		return len(rows) == 0, err
	}),
	anyOf("tagIds", costRelation, ofTodoTags, inTagIDs),
	anyOf("tagTitles", costFields, ofTags("title"), inTags("title")),
	anyOf("tagColors", costFields, ofTags("color"), inTags("color")),
	noneOf("notTagIds", costRelation, ofTodoTags, inTagIDs),
	anyOf("colors", costRow, ofTodo("color"), inField("color")),
	flag("done", costRow, ofTodo("done"), isTrue("done")),
	flag("archived", costRow, ofTodo("archived"), isTrue("archived")),
	flag("hasTag", costRelation, ofTodoTags, func(s *subject) (bool, error) {
		rows, err := s.todoTags()
		return len(rows) > 0, err
	}),
	flag("hasDueDate", costRow, ofTodo("duedAt"), func(s *subject) (bool, error) {
		return s.row.cell("duedAt").kind == cellText, nil
	}),
	flag("hasDescription", costRow, ofTodo("text"), func(s *subject) (bool, error) {
		return len(bytes.TrimSpace(s.row.cell("text").text))+len(bytes.TrimSpace(s.row.cell("html").text)) > 0, nil
	}),
	flag("hasChecklist", costRelation, []need{{Checklist, "todoId"}}, (*subject).hasChecklist),
	bound("dueStart", "duedAt", func(at, start time.Time) bool { return !at.Before(start) }),
	bound("dueEnd", "duedAt", func(at, end time.Time) bool { return !at.After(end) }),
	bound("createdStart", "createdAt", func(at, start time.Time) bool { return !at.Before(start) }),
	bound("createdEnd", "createdAt", func(at, end time.Time) bool { return !at.After(end) }),
	{name: "search", needs: []need{{Todo, "title"}}, compile: searchTest},
	{name: "recordName", needs: []need{{Todo, "title"}}, compile: nameTest},
}

// member tells whether something of a record is among the values.
type member func(s *subject, values set) (bool, error)

func listTest(name string, in member) func(f Filter) (func(s *subject) (bool, error), bool) {
	return func(f Filter) (func(s *subject) (bool, error), bool) {
		values, given := f.Lists[name]
		among := setOf(values)
		return func(s *subject) (bool, error) { return in(s, among) }, given && len(values) > 0
	}
}

func anyOf(name string, cost int, needs []need, in member) filterKey {
	return filterKey{name: name, cost: cost, needs: needs, compile: listTest(name, in)}
}

func noneOf(name string, cost int, needs []need, in member) filterKey {
	return anyOf(name, cost, needs, func(s *subject, values set) (bool, error) {
		ok, err := in(s, values)
		return !ok, err
	})
}

func inField(name string) member {
	return func(s *subject, values set) (bool, error) { return values.hasCell(s.row.cell(name)), nil }
}

func inListID(s *subject, values set) (bool, error) {
	if s.row.shape.entity == TodoList {
		return values.has(s.row.id()), nil
	}
	return values.hasCell(s.row.cell("todoListId")), nil
}

func inListTitle(s *subject, values set) (bool, error) {
	list, err := s.listRow()
	return list != nil && values.hasCell(list.cell("title")), err
}

func inAssignees(s *subject, values set) (bool, error) {
	rows, err := s.assignees()
	return anyCell(rows, "userId", values), err
}

func inTagIDs(s *subject, values set) (bool, error) {
	rows, err := s.todoTags()
	return anyCell(rows, "tagId", values), err
}

func inTags(name string) member {
	return func(s *subject, values set) (bool, error) {
		rows, err := s.tags()
		return anyCell(rows, name, values), err
	}
}

func anyCell(rows []*Row, name string, values set) bool {
	return slices.ContainsFunc(rows, func(r *Row) bool { return values.hasCell(r.cell(name)) })
}

func flag(name string, cost int, needs []need, is func(s *subject) (bool, error)) filterKey {
	return filterKey{name: name, cost: cost, needs: needs,
		compile: func(f Filter) (func(s *subject) (bool, error), bool) {
			want, given := f.Flags[name]
			return func(s *subject) (bool, error) {
				got, err := is(s)
				return got == want, err
			}, given
		}}
}

// isTrue reads a boolean; null is false.
func isTrue(name string) func(s *subject) (bool, error) {
	return func(s *subject) (bool, error) { return string(s.row.cell(name).text) == "t", nil }
}

// bound compares a timestamp of the todo. One that it does not have is within no bounds.
func bound(name, field string, within func(at, bound time.Time) bool) filterKey {
	return filterKey{name: name, needs: []need{{Todo, field}},
		compile: func(f Filter) (func(s *subject) (bool, error), bool) {
			limit, given := f.Times[name]
			return func(s *subject) (bool, error) {
				at, ok := instant(s.row.cell(field).text)
				return ok && within(at.time, limit), nil
			}, given
		}}
}

// searchTest looks for a text in title and text, whatever the case of its letters.
func searchTest(f Filter) (func(s *subject) (bool, error), bool) {
	phrase, given := f.Texts["search"]
	lower := []byte(strings.ToLower(phrase))
	return func(s *subject) (bool, error) {
		title, text := s.lower()
		return bytes.Contains(title, lower) || bytes.Contains(text, lower), nil
	}, given
}

func nameTest(f Filter) (func(s *subject) (bool, error), bool) {
	name, given := f.Texts["recordName"]
	return func(s *subject) (bool, error) { return string(s.row.cell("title").text) == name, nil }, given
}
