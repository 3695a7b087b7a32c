package mapping

// rule is one row of the event table: an event, whose value it sends, and which change fires it.
type rule struct {
	event  string
	entity Entity // whose value is sent
	on     Entity // whose changed row may fire it
	fires  condition
	when   string // for people; "" for one more way to the event of the row above
}

// The relations that events are about.
var (
	assignees     = relation{owner: Todo, via: "todoId", opposite: "userId"}
	tagged        = relation{owner: Todo, via: "todoId", opposite: "tagId"}
	itemAssignees = relation{owner: ChecklistItem, via: "checklistItemId", opposite: "userId"}
	fieldValues   = relation{owner: Todo, via: "todoId", opposite: "customFieldId"}
)

// rules is the event table. The order within one changed row is the order of this table. Rows with the same event
// are ways to the same event; each looks at the whole question and only one of them answers for a transaction.
var rules = []rule{
	{"TODO_CREATED", Todo, Todo, appears, "a todo appears"},
	{"TODO_DELETED", Todo, Todo, disappears, "a todo disappears"},
	{"TODO_MOVED", Todo, Todo, changed("todoListId"), "a todo goes to another list, of another project too"},
	{"TODO_NAME_CHANGED", Todo, Todo, changed("title"), "a todo's title changes"},
	{"TODO_DONE_STATUS_UPDATED", Todo, Todo, changed("done"), "a todo's done changes"},
	{"TODO_DUE_DATE_ADDED", Todo, Todo, datesAdded, "a todo has startedAt or duedAt, and had neither"},
	{"TODO_DUE_DATE_UPDATED", Todo, Todo, datesUpdated,
		"a todo's startedAt or duedAt changes, and it has one before and after"},
	{"TODO_DUE_DATE_REMOVED", Todo, Todo, datesRemoved, "a todo had startedAt or duedAt, and has neither"},
	{"TODO_ASSIGNEE_ADDED", Todo, TodoUser, pairAdded(assignees), "a user is an assignee of a todo, and was not"},
	{"TODO_ASSIGNEE_REMOVED", Todo, TodoUser, pairRemoved(assignees), "a user was an assignee of a todo, and is not"},
	{"TODO_TAG_ADDED", Todo, TodoTag, pairAdded(tagged), "a todo has a tag that it had not"},
	{"TODO_TAG_REMOVED", Todo, TodoTag, pairRemoved(tagged), "a todo had a tag that it has not"},
	{"TODO_CUSTOM_FIELD_UPDATED", Todo, TodoCustomField, fieldValueChanged,
		"a todo's value in a custom field, or the options chosen in it, differ"},
	{"TODO_CUSTOM_FIELD_UPDATED", Todo, TodoCustomFieldOption, fieldValueChanged, ""},
	{"TODO_CHECKLIST_CREATED", Checklist, Checklist, appears, "a checklist appears"},
	{"TODO_CHECKLIST_NAME_CHANGED", Checklist, Checklist, changed("title"), "a checklist's title changes"},
	{"TODO_CHECKLIST_DELETED", Checklist, Checklist, disappears, "a checklist disappears"},
	{"TODO_CHECKLIST_ITEM_CREATED", ChecklistItem, ChecklistItem, appears, "an item appears"},
	{"TODO_CHECKLIST_ITEM_NAME_CHANGED", ChecklistItem, ChecklistItem, changed("title"), "an item's title changes"},
	{"TODO_CHECKLIST_ITEM_DELETED", ChecklistItem, ChecklistItem, disappears, "an item disappears"},
	{"TODO_CHECKLIST_ITEM_DUE_DATE_ADDED", ChecklistItem, ChecklistItem, datesAdded,
		"an item has startedAt or duedAt, and had neither"},
	{"TODO_CHECKLIST_ITEM_DUE_DATE_UPDATED", ChecklistItem, ChecklistItem, datesUpdated,
		"an item's startedAt or duedAt changes, and it has one before and after"},
	{"TODO_CHECKLIST_ITEM_DUE_DATE_REMOVED", ChecklistItem, ChecklistItem, datesRemoved,
		"an item had startedAt or duedAt, and has neither"},
	{"TODO_CHECKLIST_ITEM_ASSIGNEE_ADDED", ChecklistItem, ChecklistItemUser, pairAdded(itemAssignees),
		"a user is an assignee of an item, and was not"},
	{"TODO_CHECKLIST_ITEM_ASSIGNEE_REMOVED", ChecklistItem, ChecklistItemUser, pairRemoved(itemAssignees),
		"a user was an assignee of an item, and is not"},
	{"TODO_CHECKLIST_ITEM_DONE_STATUS_UPDATED", ChecklistItem, ChecklistItem, changed("done"), "an item's done changes"},
	{"TODO_LIST_CREATED", TodoList, TodoList, appears, "a list appears"},
	{"TODO_LIST_NAME_CHANGED", TodoList, TodoList, changed("title"), "a list's title changes"},
	{"TODO_LIST_DELETED", TodoList, TodoList, disappears, "a list disappears"},
	{"CUSTOM_FIELD_CREATED", CustomField, CustomField, appears, "a custom field appears"},
	{"CUSTOM_FIELD_UPDATED", CustomField, CustomField, fieldChanged,
		"a custom field changes beyond timestamps, or one of its options comes, changes or goes"},
	{"CUSTOM_FIELD_UPDATED", CustomField, CustomFieldOption, fieldChanged, ""},
	{"CUSTOM_FIELD_DELETED", CustomField, CustomField, disappears, "a custom field disappears"},
	{"TAG_CREATED", Tag, Tag, appears, "a tag appears"},
	{"TAG_UPDATED", Tag, Tag, changedBeyondTimestamps, "a tag changes beyond timestamps"},
	{"TAG_DELETED", Tag, Tag, disappears, "a tag disappears"},
	{"COMMENT_CREATED", Comment, Comment, appears, "a comment appears"},
	{"COMMENT_UPDATED", Comment, Comment, changed("html", "text"), "a comment's html or text changes"},
	{"COMMENT_DELETED", Comment, Comment, disappears, "a comment disappears"},
}

// extensionRules are bluetap's own events, sent only to webhooks that name them.
var extensionRules = []rule{
	{"TODO_UPDATED", Todo, Todo, changedBeyondTimestamps, "a todo changes beyond timestamps"},
	{"TODO_DESCRIPTION_CHANGED", Todo, Todo, changed("html", "text"), "a todo's html or text changes"},
	{"TODO_LIST_MOVED", TodoList, TodoList, changed("projectId"), "a list goes to another project"},
}

// GapEvent tells a webhook that names it what it did not get. It is about no change, so that it has no rule and no
// filter is asked of it.
const GapEvent = "BLUETAP_GAP"

// recordRules are the events of Blue's short form, one per todo and transaction, sent only to webhooks of that format.
var recordRules = []rule{
	{"RECORD_CREATED", Todo, Todo, appears, "a todo appears"},
	{"RECORD_UPDATED", Todo, Todo, recordChanged,
		"a todo changes beyond timestamps, or its assignees, tags or custom field values do"},
	{"RECORD_UPDATED", Todo, TodoUser, recordChanged, ""},
	{"RECORD_UPDATED", Todo, TodoTag, recordChanged, ""},
	{"RECORD_UPDATED", Todo, TodoCustomField, recordChanged, ""},
	{"RECORD_UPDATED", Todo, TodoCustomFieldOption, recordChanged, ""},
	{"RECORD_DELETED", Todo, Todo, disappears, "a todo disappears"},
}

// EventKind says which webhooks get an event.
type EventKind string

// The kinds of event.
const (
	BlueEvent      EventKind = "blue"      // one of Blue's 37: sent unless the webhook names others
	ExtensionEvent EventKind = "extension" // bluetap's own: sent only to webhooks that name it
	RecordEvent    EventKind = "record"    // of Blue's short form: sent only to webhooks of format record
)

// EventDescription is what the event table says of an event.
type EventDescription struct {
	Event  string    `json:"event"`
	Kind   EventKind `json:"kind"`
	Entity string    `json:"entity"` // whose value is sent; "" for GapEvent
	When   string    `json:"when"`   // what fires it, in words
}

// Events describes every event, in the order of the event table.
func Events() []EventDescription {
	var events []EventDescription
	for _, table := range []struct {
		kind  EventKind
		rules []rule
	}{{BlueEvent, rules}, {ExtensionEvent, extensionRules}, {RecordEvent, recordRules}} {
		for _, r := range table.rules {
			if r.when != "" {
				events = append(events, EventDescription{r.event, table.kind, r.entity.String(), r.when})
			}
		}
		if table.kind == ExtensionEvent {
			events = append(events, EventDescription{Event: GapEvent, Kind: ExtensionEvent,
				When: "the queue of the webhook has room again, and events were not kept while it was full"})
		}
	}
	return events
}

// EventTypes returns Blue's 37 events in the order of the event table.
func EventTypes() []string { return typesOf(rules) }

// ExtensionTypes returns the events that Blue does not have; a webhook gets one only by naming it.
func ExtensionTypes() []string { return append(typesOf(extensionRules), GapEvent) }

// RecordTypes returns the events of Blue's short form, {"event","record","company","project","user"}. Only webhooks of
// that format get them, and nothing else.
func RecordTypes() []string { return typesOf(recordRules) }

func typesOf(table []rule) []string {
	var types []string
	for _, r := range table {
		if len(types) == 0 || types[len(types)-1] != r.event {
			types = append(types, r.event)
		}
	}
	return types
}

// eventTables returns all rules, in the order in which they fire.
func eventTables() [][]rule { return [][]rule{rules, extensionRules, recordRules} }

// rulesOn returns the rules that a change of the entity may fire, in the order of the tables.
func rulesOn(e Entity) []rule {
	var on []rule
	for _, table := range eventTables() {
		for _, r := range table {
			if r.on == e {
				on = append(on, r)
			}
		}
	}
	return on
}
