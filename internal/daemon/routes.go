package daemon

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"bluetap/internal/config"
	"bluetap/mapping"
)

// checkSubscriptions refuses enabled webhooks that ask for what the database does not have: faults of the file.
func checkSubscriptions(c *config.Config, model *mapping.Model) error {
	var subscriptions []mapping.Subscription
	for i, w := range c.Webhooks {
		if w.Enabled {
			subscriptions = append(subscriptions, subscription(uint32(i), w))
		}
	}
	_, err := mapping.NewRouter(model, subscriptions, nil)
	var wrong mapping.KeyErrors
	if !errors.As(err, &wrong) {
		return err
	}
	var faults []config.Fault
	for _, w := range wrong {
		faults = append(faults, c.Webhooks[w.Webhook].Fault(w.Key, w.Reason))
	}
	return config.NewFaults(faults)
}

func subscription(number uint32, w config.Webhook) mapping.Subscription {
	s := mapping.Subscription{Webhook: number, Events: wanted(w), CompanyIDs: w.CompanyIDs, ProjectIDs: w.ProjectIDs,
		Changed: w.Changed, If: w.If,
		Filter: mapping.Filter{Match: w.Filter.Match, Lists: w.Filter.Lists, Flags: w.Filter.Flags,
			Times: w.Filter.Times, Texts: w.Filter.Texts}}
	for _, f := range w.Filter.Fields {
		s.Filter.Fields = append(s.Filter.Fields, mapping.FieldTest(f))
	}
	if w.RequireMembership {
		s.Member = w.CreatedByID
	}
	return s
}

// ifFailures counts, by webhook, the events that were routed because their if could not be evaluated.
type ifFailures struct {
	log   *slog.Logger
	names map[uint32]string // the webhooks' ids by number

	mu     sync.Mutex
	counts map[uint32]uint64
	logged map[uint32]time.Time
}

func newIfFailures(log *slog.Logger) *ifFailures {
	return &ifFailures{log: log, names: map[uint32]string{}, counts: map[uint32]uint64{}, logged: map[uint32]time.Time{}}
}

// note counts one, and logs it unless it has logged another of that webhook within the last minute.
func (f *ifFailures) note(webhook uint32, at mapping.Position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts[webhook]++
	if now := time.Now(); now.Sub(f.logged[webhook]) >= repeatLog {
		f.logged[webhook] = now
		f.log.Warn("if could not be evaluated, the event is delivered", "webhook", f.names[webhook],
			"line", at.Line, "column", at.Column, "count", f.counts[webhook])
	}
}

// byID returns the counts by the webhooks' ids.
func (f *ifFailures) byID() map[string]uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	counts := make(map[string]uint64, len(f.counts))
	for number, count := range f.counts {
		counts[f.names[number]] = count
	}
	return counts
}
