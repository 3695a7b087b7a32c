//go:build unix

package soak

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// entity is one row of the page about entities: what is sent of a table.
type entity struct {
	table   string
	columns string // those that are sent, by the names in payloads; "" = all that the table has
	nested  []nesting
}

// nesting is a parent (one) or an array of children (many) in the value of an entity.
type nesting struct {
	name, entity, via string // via is the column that refers: of the entity itself for a parent, else of the children
	many              bool
	bare              bool   // scalars only
	without           string // what is left out of it
}

// entities by the names in payloads. Written from the page, not from the product.
var entities = map[string]entity{
	"company": {"companies", "id uid slug name description createdAt updatedAt freeTrialExpiredAt freeTrialStartedAt " +
		"subscribedAt imageId subscriptionPlanId freeTrialExtendedById freeTrialExtendedAt", nil},
	"project": {"projects", "id uid slug name description archived createdAt updatedAt isTemplate isOfficialTemplate " +
		"category companyId imageId hideEmailFromRoles", []nesting{parent("company", "company_id")}},
	"todoList": {"todo_lists", "", []nesting{parent("project", "project_id")}},
	"todo": {"todos", "", []nesting{many("todoCustomFields", "todoCustomField", "todo_id"),
		many("todoUsers", "todoUser", "todo_id"), many("todoTags", "todoTag", "todo_id"),
		parent("todoList", "todo_list_id")}},
	"comment": {"comments", "", []nesting{parent("user", "user_id"), parent("todo", "todo_id")}},
	"checklist": {"checklists", "", []nesting{
		{name: "checklistItems", entity: "checklistItem", via: "checklist_id", many: true, without: "checklist"},
		parent("todo", "todo_id")}},
	"checklistItem": {"checklist_items", "", []nesting{
		many("checklistItemUsers", "checklistItemUser", "checklist_item_id"),
		{name: "checklist", entity: "checklist", via: "checklist_id", without: "checklistItems"}}},
	"tag": {"tags", "", []nesting{parent("project", "project_id")}},
	"customField": {"custom_fields", "", []nesting{many("customFieldOptions", "customFieldOption", "custom_field_id"),
		parent("project", "project_id")}},
	"customFieldOption": {"custom_field_options", "", nil},
	"todoUser":          {"todo_users", "id uid createdAt updatedAt todoId userId", []nesting{parent("user", "user_id")}},
	"todoTag": {"todo_tags", "id uid createdAt updatedAt todoId tagId",
		[]nesting{{name: "tag", entity: "tag", via: "tag_id", bare: true}}},
	"todoCustomField": {"todo_custom_fields", "", []nesting{
		{name: "customField", entity: "customField", via: "custom_field_id", bare: true},
		many("todoCustomFieldOptions", "todoCustomFieldOption", "todo_custom_field_id")}},
	"todoCustomFieldOption": {"todo_custom_field_options",
		"id uid createdAt updatedAt todoCustomFieldId customFieldOptionId",
		[]nesting{parent("customFieldOption", "custom_field_option_id")}},
	"checklistItemUser": {"checklist_item_users", "id uid createdAt updatedAt checklistItemId userId",
		[]nesting{parent("user", "user_id")}},
	"user": {"users", "id uid firstName lastName email timezone", nil},
}

func parent(name, via string) nesting { return nesting{name: name, entity: name, via: via} }

func many(name, entity, via string) nesting {
	return nesting{name: name, entity: entity, via: via, many: true}
}

// foreignKeys are the columns by which rows are looked up, by table.
var foreignKeys = map[string][]string{
	"todo_users": {"todo_id"}, "todo_tags": {"todo_id"}, "todo_custom_fields": {"todo_id"},
	"todo_custom_field_options": {"todo_custom_field_id"}, "checklist_items": {"checklist_id"},
	"checklist_item_users": {"checklist_item_id"}, "custom_field_options": {"custom_field_id"},
	"project_users": {"project_id"},
}

// value composes the value of an entity as a JSON document, "null" for no row.
func (v view) value(name string, r row, bare bool, without string) any {
	if r == nil {
		return nil
	}
	e := entities[name]
	document := map[string]any{}
	if e.columns == "" {
		for column := range r {
			document[camel(column)] = scalar(e.table, column, r[column])
		}
	}
	for field := range strings.FieldsSeq(e.columns) {
		column := snake(field)
		document[field] = scalar(e.table, column, r[column])
	}
	for _, n := range e.nested {
		switch {
		case bare || n.name == without:
		case n.many:
			array := []any{}
			for _, child := range v.array(n, r.id()) {
				array = append(array, v.value(n.entity, child, n.bare, n.without))
			}
			document[n.name] = array
		default:
			document[n.name] = v.value(n.entity, v.get(entities[n.entity].table, r.text(n.via)), n.bare, n.without)
		}
	}
	return document
}

// array returns the children that stand in an array, in its order.
func (v view) array(n nesting, id string) []row {
	children := slices.DeleteFunc(v.children(entities[n.entity].table, n.via, id),
		func(r row) bool { return r["deleted_at"] != nil })
	slices.SortFunc(children, func(a, b row) int {
		return cmp.Or(comparePositions(a, b), strings.Compare(iso(a.text("created_at")), iso(b.text("created_at"))),
			strings.Compare(a.id(), b.id()))
	})
	return children
}

// comparePositions puts rows without a position last.
func comparePositions(a, b row) int {
	x, hasX := a["position"].(json.Number)
	y, hasY := b["position"].(json.Number)
	if !hasX || !hasY {
		return cmp.Compare(rank(hasX), rank(hasY))
	}
	p, _ := strconv.ParseFloat(x.String(), 64)
	q, _ := strconv.ParseFloat(y.String(), 64)
	return cmp.Compare(p, q)
}

func rank(has bool) int {
	if has {
		return 0
	}
	return 1
}

// scalar is what a body has of a column.
func scalar(table, column string, value any) any {
	switch v := value.(type) {
	case string:
		if strings.HasSuffix(column, "_at") {
			return iso(v)
		}
	case json.Number:
		if table == "todos" && column == "position" || table == "todo_custom_fields" && column == "number" {
			return trimmed(v.String()) // the two numerics
		}
	}
	return value
}

// iso makes of Postgres' 2022-12-01T11:23:09.2+00:00 the 2022-12-01T11:23:09.200Z of payloads.
func iso(stamp string) string {
	if stamp == "" {
		return ""
	}
	seconds, fraction, _ := strings.Cut(strings.TrimSuffix(stamp, "+00:00"), ".")
	return seconds + "." + (fraction + "000")[:3] + "Z"
}

func trimmed(numeric string) string {
	if strings.Contains(numeric, ".") {
		return strings.TrimSuffix(strings.TrimRight(numeric, "0"), ".")
	}
	return numeric
}

func camel(column string) string {
	first, rest, _ := strings.Cut(column, "_")
	var b strings.Builder
	b.WriteString(first)
	for word := range strings.SplitSeq(rest, "_") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

func snake(field string) string {
	var b strings.Builder
	for _, c := range field {
		if unicode.IsUpper(c) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}
