package mapping

import "slices"

// Subscription is what one webhook wants.
type Subscription struct {
	Webhook    uint32   // the store's number of the webhook
	Events     []string // empty: all of Blue's 37
	CompanyIDs []string // empty: all
	ProjectIDs []string // empty: all
}

// Router tells which webhooks want an event. It is asked once, when the event is captured; the answer stays.
type Router struct {
	byType map[string][]Subscription
}

// NewRouter returns the router of the enabled webhooks' subscriptions.
func NewRouter(subscriptions []Subscription) *Router {
	r := &Router{byType: map[string][]Subscription{}}
	for _, s := range subscriptions {
		types := s.Events
		if len(types) == 0 {
			types = EventTypes()
		}
		for _, t := range types {
			if !slices.ContainsFunc(r.byType[t], func(o Subscription) bool { return o.Webhook == s.Webhook }) {
				r.byType[t] = append(r.byType[t], s)
			}
		}
	}
	return r
}

// Route returns the webhooks that want the event. An event without a project is wanted only by webhooks that do not
// ask for projects or companies.
func (r *Router) Route(e *Event) ([]uint32, error) {
	subscriptions := r.byType[e.Type]
	if len(subscriptions) == 0 {
		return nil, nil
	}
	var projects, companies []string
	if slices.ContainsFunc(subscriptions, Subscription.scoped) {
		var err error
		if projects, companies, err = e.Scope(); err != nil {
			return nil, err
		}
	}
	var webhooks []uint32
	for _, s := range subscriptions {
		if matches(s.ProjectIDs, projects) && matches(s.CompanyIDs, companies) {
			webhooks = append(webhooks, s.Webhook)
		}
	}
	return webhooks, nil
}

func (s Subscription) scoped() bool { return len(s.ProjectIDs)+len(s.CompanyIDs) > 0 }

func matches(wanted, have []string) bool {
	return len(wanted) == 0 || slices.ContainsFunc(have, func(id string) bool { return slices.Contains(wanted, id) })
}
