package mapping

import (
	"fmt"
	"slices"
)

// Router tells which webhooks want an event. It is asked once, when the event is captured; the answer stays. It is for
// one goroutine.
type Router struct {
	byType map[string][]*route
	uses   map[string]*use // what the expressions read of a variable
	failed func(webhook uint32, at Position)
}

// Position is a place in an expression, from 1; zero where there is none to tell.
type Position struct{ Line, Column int }

// route is a compiled Subscription.
type route struct {
	webhook             uint32
	companies, projects set
	member              string
	filter              *filter
	changed             []string
	expression          *expression
}

// NewRouter returns the router of the enabled webhooks' subscriptions over the database's model. failed, which may be
// nil, is told when a webhook's If could not be evaluated for an event, which then is routed. An error is KeyErrors.
func NewRouter(m *Model, subscriptions []Subscription, failed func(webhook uint32, at Position)) (*Router, error) {
	r := &Router{byType: map[string][]*route{}, uses: map[string]*use{}, failed: failed}
	var faults KeyErrors
	for _, s := range subscriptions {
		compiled, reasons := compileRoute(m, s)
		faults = append(faults, reasons...)
		r.read(compiled.expression)
		for _, t := range s.types() {
			if known := r.byType[t]; len(known) == 0 || known[len(known)-1] != compiled {
				r.byType[t] = append(known, compiled)
			}
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return r, nil
}

// read adds what an expression reads to what is built for all.
func (r *Router) read(e *expression) {
	if e == nil {
		return
	}
	for name, u := range e.uses {
		if r.uses[name] == nil {
			r.uses[name] = &use{fields: map[string]*use{}}
		}
		r.uses[name].add(u)
	}
}

func compileRoute(m *Model, s Subscription) (*route, KeyErrors) {
	r := &route{webhook: s.Webhook, companies: setOf(s.CompanyIDs), projects: setOf(s.ProjectIDs), member: s.Member,
		changed: s.Changed}
	var faults KeyErrors
	refuse := func(key, reason string) {
		if reason != "" {
			faults = append(faults, KeyError{s.Webhook, key, reason})
		}
	}
	projects := s.projectNeeds(m)
	if len(s.ProjectIDs) > 0 {
		refuse("projectIds", m.lacks(projects...))
	}
	if len(s.CompanyIDs) > 0 {
		refuse("companyIds", m.lacks(append(slices.Clone(projects), need{Project, "companyId"})...))
	}
	if s.Member != "" {
		refuse("requireMembership", m.lacks(append(projects, need{ProjectUser, "projectId"}, need{ProjectUser, "userId"})...))
	}
	if r.filter = compileFilter(m, s.Filter, refuse); r.filter != nil {
		refuse("filter", m.lacks(s.recordNeeds(m)...))
	}
	refuse("changed", s.lacksChanged(m))
	if s.If != "" {
		var err error
		if r.expression, err = compileFor(m, s); err != nil {
			refuse("if", err.Error())
		}
	}
	return r, faults
}

// Route returns the webhooks that want the event. An event without a project is wanted only by webhooks that do not
// ask for projects, companies or membership.
func (r *Router) Route(e *Event) ([]uint32, error) {
	routes := r.byType[e.Type]
	if len(routes) == 0 {
		return nil, nil
	}
	a := &asked{event: e, uses: r.uses}
	var webhooks []uint32
	for _, route := range routes {
		wanted, err := r.wants(route, a)
		if err != nil {
			return nil, fmt.Errorf("route %s: %w", e.Type, err)
		}
		if wanted {
			webhooks = append(webhooks, route.webhook)
		}
	}
	return webhooks, nil
}

// wants asks in the order of what an answer costs. The expression comes last also because one that fails routes.
func (r *Router) wants(route *route, a *asked) (bool, error) {
	if ok, err := route.inScope(a); !ok || err != nil {
		return false, err
	}
	if !a.event.changedOneOf(route.changed) {
		return false, nil
	}
	if ok, err := route.filter.wants(a); !ok || err != nil {
		return false, err
	}
	if ok, err := route.hasMember(a); !ok || err != nil {
		return false, err
	}
	if route.expression == nil {
		return true, nil
	}
	answer, err := route.expression.answer(a)
	if err != nil {
		return false, err
	}
	if answer.failed && r.failed != nil {
		r.failed(route.webhook, answer.at)
	}
	return answer.holds || answer.failed, nil
}

// inScope asks for the event's projects and companies.
func (r *route) inScope(a *asked) (bool, error) {
	if len(r.projects)+len(r.companies) == 0 {
		return true, nil
	}
	scopes, err := a.scopes()
	if err != nil {
		return false, err
	}
	project, company := len(r.projects) == 0, len(r.companies) == 0
	for _, s := range scopes {
		project = project || r.projects.has(s.project)
		company = company || r.companies.has(s.company)
	}
	return project && company, nil
}

// changedOneOf tells whether one of the fields differs. Creations and deletions pass, and so does everything when no
// field is named.
func (e *Event) changedOneOf(fields []string) bool {
	if len(fields) == 0 || e.previous == nil || e.current == nil {
		return true
	}
	for _, name := range fields {
		if fieldDiffers(e.previous, e.current, name) {
			return true
		}
	}
	return false
}

// set is a list of texts to look a text up in.
type set map[string]struct{}

func setOf(texts []string) set {
	s := make(set, len(texts))
	for _, text := range texts {
		s[text] = struct{}{}
	}
	return s
}

func (s set) has(text string) bool {
	_, ok := s[text]
	return ok
}

// hasCell tells whether the cell has a text, and it is in the set.
func (s set) hasCell(c cell) bool {
	if c.kind != cellText {
		return false
	}
	_, ok := s[string(c.text)]
	return ok
}
