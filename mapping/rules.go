package mapping

// rule is one row of the event table: an event, whose value it sends, and which change fires it.
type rule struct {
	event  string
	entity Entity // whose value is sent
	on     Entity // whose changed row may fire it
	fires  condition
}

// The relations that events are about.
var (
	assignees     = relation{owner: Todo, via: "todoId", opposite: "userId"}
	tagged        = relation{owner: Todo, via: "todoId", opposite: "tagId"}
	itemAssignees = relation{owner: ChecklistItem, via: "checklistItemId", opposite: "userId"}
)

// rules is the event table. The order within one changed row is the order of this table. Rows with the same event
// are ways to the same event; each looks at the whole question and only one of them answers for a transaction.
var rules = []rule{
	{"TODO_CREATED", Todo, Todo, appears},
	{"TODO_DELETED", Todo, Todo, disappears},
	{"TODO_MOVED", Todo, Todo, changed("todoListId")},
	{"TODO_NAME_CHANGED", Todo, Todo, changed("title")},
	{"TODO_DONE_STATUS_UPDATED", Todo, Todo, changed("done")},
	{"TODO_DUE_DATE_ADDED", Todo, Todo, datesAdded},
	{"TODO_DUE_DATE_UPDATED", Todo, Todo, datesUpdated},
	{"TODO_DUE_DATE_REMOVED", Todo, Todo, datesRemoved},
	{"TODO_ASSIGNEE_ADDED", Todo, TodoUser, pairAdded(assignees)},
	{"TODO_ASSIGNEE_REMOVED", Todo, TodoUser, pairRemoved(assignees)},
	{"TODO_TAG_ADDED", Todo, TodoTag, pairAdded(tagged)},
	{"TODO_TAG_REMOVED", Todo, TodoTag, pairRemoved(tagged)},
	{"TODO_CUSTOM_FIELD_UPDATED", Todo, TodoCustomField, fieldValueChanged},
	{"TODO_CUSTOM_FIELD_UPDATED", Todo, TodoCustomFieldOption, fieldValueChanged},
	{"TODO_CHECKLIST_CREATED", Checklist, Checklist, appears},
	{"TODO_CHECKLIST_NAME_CHANGED", Checklist, Checklist, changed("title")},
	{"TODO_CHECKLIST_DELETED", Checklist, Checklist, disappears},
	{"TODO_CHECKLIST_ITEM_CREATED", ChecklistItem, ChecklistItem, appears},
	{"TODO_CHECKLIST_ITEM_NAME_CHANGED", ChecklistItem, ChecklistItem, changed("title")},
	{"TODO_CHECKLIST_ITEM_DELETED", ChecklistItem, ChecklistItem, disappears},
	{"TODO_CHECKLIST_ITEM_DUE_DATE_ADDED", ChecklistItem, ChecklistItem, datesAdded},
	{"TODO_CHECKLIST_ITEM_DUE_DATE_UPDATED", ChecklistItem, ChecklistItem, datesUpdated},
	{"TODO_CHECKLIST_ITEM_DUE_DATE_REMOVED", ChecklistItem, ChecklistItem, datesRemoved},
	{"TODO_CHECKLIST_ITEM_ASSIGNEE_ADDED", ChecklistItem, ChecklistItemUser, pairAdded(itemAssignees)},
	{"TODO_CHECKLIST_ITEM_ASSIGNEE_REMOVED", ChecklistItem, ChecklistItemUser, pairRemoved(itemAssignees)},
	{"TODO_CHECKLIST_ITEM_DONE_STATUS_UPDATED", ChecklistItem, ChecklistItem, changed("done")},
	{"TODO_LIST_CREATED", TodoList, TodoList, appears},
	{"TODO_LIST_NAME_CHANGED", TodoList, TodoList, changed("title")},
	{"TODO_LIST_DELETED", TodoList, TodoList, disappears},
	{"CUSTOM_FIELD_CREATED", CustomField, CustomField, appears},
	{"CUSTOM_FIELD_UPDATED", CustomField, CustomField, fieldChanged},
	{"CUSTOM_FIELD_UPDATED", CustomField, CustomFieldOption, fieldChanged},
	{"CUSTOM_FIELD_DELETED", CustomField, CustomField, disappears},
	{"TAG_CREATED", Tag, Tag, appears},
	{"TAG_UPDATED", Tag, Tag, changedBeyondTimestamps},
	{"TAG_DELETED", Tag, Tag, disappears},
	{"COMMENT_CREATED", Comment, Comment, appears},
	{"COMMENT_UPDATED", Comment, Comment, changed("html", "text")},
	{"COMMENT_DELETED", Comment, Comment, disappears},
}

// extensionRules are bluetap's own events, sent only to webhooks that name them.
var extensionRules = []rule{
	{"TODO_UPDATED", Todo, Todo, changedBeyondTimestamps},
	{"TODO_DESCRIPTION_CHANGED", Todo, Todo, changed("html", "text")},
	{"TODO_LIST_MOVED", TodoList, TodoList, changed("projectId")},
}

// recordRules are the events of Blue's short form, one per todo and transaction, sent only to webhooks of that format.
var recordRules = []rule{
	{"RECORD_CREATED", Todo, Todo, appears},
	{"RECORD_UPDATED", Todo, Todo, recordChanged},
	{"RECORD_UPDATED", Todo, TodoUser, recordChanged},
	{"RECORD_UPDATED", Todo, TodoTag, recordChanged},
	{"RECORD_UPDATED", Todo, TodoCustomField, recordChanged},
	{"RECORD_UPDATED", Todo, TodoCustomFieldOption, recordChanged},
	{"RECORD_DELETED", Todo, Todo, disappears},
}

// EventTypes returns Blue's 37 events in the order of the event table.
func EventTypes() []string { return typesOf(rules) }

// ExtensionTypes returns the events that Blue does not have; a webhook gets one only by naming it.
func ExtensionTypes() []string { return typesOf(extensionRules) }

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

// rulesOn returns the rules that a change of the entity may fire, in the order of the tables.
func rulesOn(e Entity) []rule {
	var on []rule
	for _, table := range [][]rule{rules, extensionRules, recordRules} {
		for _, r := range table {
			if r.on == e {
				on = append(on, r)
			}
		}
	}
	return on
}
