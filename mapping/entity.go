// Package mapping is Blue's model: which table is which entity, how an entity's JSON value is composed from a View,
// which change of a row is which webhook event, and which webhooks want it.
//
// It works on the difference between two committed states. Net folds a transaction into the net change of every row;
// Map turns those changes, read beside the views before and after, into events; Router says who gets them. Nothing
// here knows the replication protocol, HTTP or the disk, and nothing asks a clock: the same transaction over the same
// state always gives the same events, ids and bytes.
package mapping

// Entity is one of Blue's entities. The numbers stand in state directories: add at the end, never renumber.
type Entity uint8

// Blue's entities.
const (
	Company Entity = iota + 1
	Project
	TodoList
	Todo
	Comment
	Checklist
	ChecklistItem
	Tag
	CustomField
	CustomFieldOption
	TodoUser
	TodoTag
	TodoCustomField
	TodoCustomFieldOption
	ChecklistItemUser
	User
	ProjectUser
)

// String returns Blue's name of the entity, as in the config's tables block: todoList.
func (e Entity) String() string {
	if d := e.definition(); d != nil {
		return d.name
	}
	return "unknown"
}

func (e Entity) definition() *definition {
	if e == 0 || int(e) > len(definitions) {
		return nil
	}
	return &definitions[e-1]
}

// Entities returns the names of all entities, in the order of their numbers.
func Entities() []string {
	names := make([]string, len(definitions))
	for i := range definitions {
		names[i] = definitions[i].name
	}
	return names
}

// definition is one row of the entity table.
type definition struct {
	entity      Entity
	name        string
	tables      []string // names under which the table is recognised
	passThrough bool     // further columns of the table are sent too
	scalars     []string // in payload order
	nested      []nested // in payload order, after the scalars
}

// nested is a related row, or a list of them, inside a value.
type nested struct {
	name        string // the key in the payload
	entity      Entity
	via         string // the foreign key: this entity's for a parent, the other entity's for a list
	many        bool
	scalarsOnly bool // the related row's own columns, nothing nested
}

func parent(name string, e Entity, via string) nested { return nested{name: name, entity: e, via: via} }
func list(name string, e Entity, via string) nested {
	return nested{name: name, entity: e, via: via, many: true}
}
func scalarParent(name string, e Entity, via string) nested {
	return nested{name: name, entity: e, via: via, scalarsOnly: true}
}

// definitions is the entity table, a row per Entity in the order of the constants.
var definitions = []definition{
	{entity: Company, name: "company", tables: []string{"companies", "company", "Company"},
		scalars: []string{"id", "uid", "slug", "name", "description", "createdAt", "updatedAt", "freeTrialExpiredAt",
			"freeTrialStartedAt", "subscribedAt", "imageId", "subscriptionPlanId", "freeTrialExtendedById",
			"freeTrialExtendedAt"}},
	{entity: Project, name: "project", tables: []string{"projects", "project", "Project"},
		scalars: []string{"id", "uid", "slug", "name", "description", "archived", "createdAt", "updatedAt",
			"isTemplate", "isOfficialTemplate", "category", "companyId", "imageId", "hideEmailFromRoles"},
		nested: []nested{parent("company", Company, "companyId")}},
	{entity: TodoList, name: "todoList", tables: []string{"todo_lists", "lists", "TodoList"}, passThrough: true,
		scalars: []string{"id", "uid", "createdAt", "updatedAt", "title", "position", "createdById", "projectId"},
		nested:  []nested{parent("project", Project, "projectId")}},
	{entity: Todo, name: "todo", tables: []string{"todos", "Todo"}, passThrough: true,
		scalars: []string{"id", "uid", "title", "html", "text", "position", "archived", "done", "startedAt", "duedAt",
			"timezone", "createdAt", "updatedAt", "createdById", "todoListId"},
		nested: []nested{
			list("todoCustomFields", TodoCustomField, "todoId"),
			list("todoUsers", TodoUser, "todoId"),
			list("todoTags", TodoTag, "todoId"),
			parent("todoList", TodoList, "todoListId")}},
	{entity: Comment, name: "comment", tables: []string{"comments", "Comment"}, passThrough: true,
		scalars: []string{"id", "uid", "html", "text", "category", "createdAt", "updatedAt", "deletedAt", "userId",
			"todoId", "discussionId", "statusUpdateId"},
		nested: []nested{parent("user", User, "userId"), parent("todo", Todo, "todoId")}},
	{entity: Checklist, name: "checklist", tables: []string{"checklists", "Checklist"}, passThrough: true,
		scalars: []string{"id", "uid", "title", "position", "createdAt", "updatedAt", "createdById", "todoId"},
		nested: []nested{
			list("checklistItems", ChecklistItem, "checklistId"),
			parent("todo", Todo, "todoId")}},
	{entity: ChecklistItem, name: "checklistItem", tables: []string{"checklist_items", "ChecklistItem"},
		passThrough: true,
		scalars: []string{"id", "uid", "title", "done", "position", "startedAt", "duedAt", "createdAt", "updatedAt",
			"createdById", "checklistId"},
		nested: []nested{
			list("checklistItemUsers", ChecklistItemUser, "checklistItemId"),
			parent("checklist", Checklist, "checklistId")}},
	{entity: Tag, name: "tag", tables: []string{"tags", "Tag"}, passThrough: true,
		scalars: []string{"id", "uid", "title", "color", "createdAt", "updatedAt", "projectId"},
		nested:  []nested{parent("project", Project, "projectId")}},
	{entity: CustomField, name: "customField", tables: []string{"custom_fields", "CustomField"}, passThrough: true,
		scalars: []string{"id", "uid", "name", "type", "position", "description", "createdAt", "updatedAt",
			"projectId"},
		nested: []nested{
			list("customFieldOptions", CustomFieldOption, "customFieldId"),
			parent("project", Project, "projectId")}},
	{entity: CustomFieldOption, name: "customFieldOption",
		tables: []string{"custom_field_options", "CustomFieldOption"}, passThrough: true,
		scalars: []string{"id", "uid", "title", "color", "position", "createdAt", "updatedAt", "customFieldId"}},
	{entity: TodoUser, name: "todoUser", tables: []string{"todo_users", "TodoUser"},
		scalars: []string{"id", "uid", "createdAt", "updatedAt", "todoId", "userId"},
		nested:  []nested{parent("user", User, "userId")}},
	{entity: TodoTag, name: "todoTag", tables: []string{"todo_tags", "TodoTag"},
		scalars: []string{"id", "uid", "createdAt", "updatedAt", "todoId", "tagId"},
		nested:  []nested{scalarParent("tag", Tag, "tagId")}},
	{entity: TodoCustomField, name: "todoCustomField", tables: []string{"todo_custom_fields", "TodoCustomField"},
		passThrough: true,
		scalars: []string{"id", "uid", "number", "text", "regionCode", "countryCodes", "checked", "latitude",
			"longitude", "currency", "createdAt", "updatedAt", "todoId", "customFieldId"},
		nested: []nested{
			scalarParent("customField", CustomField, "customFieldId"),
			list("todoCustomFieldOptions", TodoCustomFieldOption, "todoCustomFieldId")}},
	{entity: TodoCustomFieldOption, name: "todoCustomFieldOption",
		tables:  []string{"todo_custom_field_options", "TodoCustomFieldOption"},
		scalars: []string{"id", "uid", "createdAt", "updatedAt", "todoCustomFieldId", "customFieldOptionId"},
		nested:  []nested{parent("customFieldOption", CustomFieldOption, "customFieldOptionId")}},
	{entity: ChecklistItemUser, name: "checklistItemUser", tables: []string{"checklist_item_users", "ChecklistItemUser"},
		scalars: []string{"id", "uid", "createdAt", "updatedAt", "checklistItemId", "userId"},
		nested:  []nested{parent("user", User, "userId")}},
	{entity: User, name: "user", tables: []string{"users", "user", "User"},
		scalars: []string{"id", "uid", "firstName", "lastName", "email", "timezone"}},
	{entity: ProjectUser, name: "projectUser", tables: []string{"project_users", "ProjectUser"},
		scalars: []string{"projectId", "userId"}},
}
