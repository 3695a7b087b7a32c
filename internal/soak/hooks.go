//go:build unix

package soak

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// hook is one webhook and what its receiver got.
type hook struct {
	id       string
	events   []string // empty: all of Blue's
	projects []string
	creator  string
	short    bool     // Blue's short form
	yaml     []string // its configuration beyond id, url and secret
	wants    func(d *due) bool
	head     string   // what each of its bodies has between the event and the values
	values   []string // what comes after that
	manner   manner   // guarded by receiver.mu
	struck   int      // requests that were answered in it, guarded by receiver.mu
	got      []*arrival
}

// The keys that webhooks name. They are never changed, and their rows stay, but for the member's memberships.
const (
	keptProject = "80000000"
	keptCompany = "10000000"
	keptMember  = "00000000"
)

// newHooks returns the webhooks. The first is always answered at once.
func newHooks() []*hook {
	hooks := []*hook{
		{id: "healthy"},
		{id: "faulty"},
		{id: "few", events: []string{"TODO_CREATED", "TODO_NAME_CHANGED", "TODO_MOVED", "TODO_TAG_ADDED", "COMMENT_CREATED",
			"TODO_UPDATED", "TODO_DESCRIPTION_CHANGED", "TODO_LIST_MOVED"}},
		{id: "project", projects: []string{keptProject}, wants: func(d *due) bool {
			return slices.ContainsFunc(d.scopes, func(s scope) bool { return s.project == keptProject })
		}},
		{id: "member", creator: keptMember, yaml: []string{"requireMembership: true"}, wants: func(d *due) bool {
			return slices.ContainsFunc(d.scopes, func(s scope) bool { return slices.Contains(s.members, keptMember) })
		}},
		{id: "edges", events: []string{"TODO_CREATED", "TODO_DELETED", "TODO_UPDATED", "TODO_ASSIGNEE_ADDED"},
			yaml:  []string{`companyIds: ["` + keptCompany + `"]`, "changed: [title, duedAt]", "filter: {done: false}"},
			wants: wantsEdges},
	}
	hooks = append(hooks, &hook{id: "short", short: true, yaml: []string{"format: record"}})
	for _, h := range hooks {
		h.configure()
	}
	return hooks
}

// configure adds what the hook is for to its configuration.
func (h *hook) configure() {
	if len(h.events) > 0 {
		h.yaml = append(h.yaml, "events: ["+strings.Join(h.events, ", ")+"]")
	}
	if len(h.projects) > 0 {
		h.yaml = append(h.yaml, `projectIds: ["`+strings.Join(h.projects, `", "`)+`"]`)
	}
	if h.creator != "" {
		h.yaml = append(h.yaml, `createdById: "`+h.creator+`"`)
	}
	asked := h.wants
	h.wants = func(d *due) bool {
		if slices.Contains(shortEvents, d.name) != h.short {
			return false
		}
		named := slices.Contains(h.events, d.name) || len(h.events) == 0 && !slices.Contains(extensions, d.name)
		return named && (asked == nil || asked(d))
	}
}

// wantsEdges is the company, a title or date that differs, and a todo that is not done, in the words of the page.
func wantsEdges(d *due) bool {
	if !slices.ContainsFunc(d.scopes, func(s scope) bool { return s.company == keptCompany }) {
		return false
	}
	previous, had := d.values["previousValue"].(map[string]any)
	current, has := d.values["currentValue"].(map[string]any)
	differs := func(field string) bool { return !reflect.DeepEqual(previous[field], current[field]) }
	if had && has && !differs("title") && !differs("duedAt") {
		return false
	}
	todo := current
	if !has {
		todo = previous
	}
	return todo["done"] == false
}

// webhook is the object of that name in a body, its keys in the order of the page.
type webhook struct {
	ID       string  `json:"id"`
	UID      *string `json:"uid"`
	Name     *string `json:"name"`
	URL      string  `json:"url"`
	Secret   string  `json:"secret"`
	Status   string  `json:"status"`
	Enabled  bool    `json:"enabled"`
	Metadata struct {
		Events     []string `json:"events"`
		ProjectIDs []string `json:"projectIds"`
	} `json:"metadata"`
	CreatedByID *string `json:"createdById"`
	CreatedAt   *string `json:"createdAt"`
	UpdatedAt   *string `json:"updatedAt"`
}

// setURL makes the hook's head, which has its address in it.
func (h *hook) setURL(url string) {
	w := webhook{ID: h.id, URL: url, Status: "HEALTHY", Enabled: true}
	w.Metadata.Events, w.Metadata.ProjectIDs = append([]string{}, h.events...), append([]string{}, h.projects...)
	if h.creator != "" {
		w.CreatedByID = &h.creator
	}
	encoded, err := json.Marshal(w)
	if err != nil {
		panic(err) // strings and booleans alone
	}
	h.head, h.values = `,"webhook":`+string(encoded)+",", []string{`"previousValue":`, `"currentValue":`}
	if h.short {
		h.head, h.values = ",", []string{`"record":`}
	}
}
