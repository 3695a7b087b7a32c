package daemon

import (
	"fmt"
	"time"

	"bluetap/deliver"
	"bluetap/internal/config"
	"bluetap/internal/store"
	"bluetap/mapping"
)

// webhooks turns the config's webhooks into what routes to them and what delivers to them.
func webhooks(st *store.Store, configured []config.Webhook) ([]mapping.Subscription, []deliver.Webhook, error) {
	var subscriptions []mapping.Subscription
	var receivers []deliver.Webhook
	for _, w := range configured {
		number, err := st.WebhookNumber(w.ID)
		if err != nil {
			return nil, nil, fmt.Errorf("number webhook %s: %w", w.ID, err)
		}
		st.KeepDead(number, w.DeadLetterRetention)
		receivers = append(receivers, receiver(number, w))
		if w.Enabled {
			subscriptions = append(subscriptions, subscription(number, w))
		}
	}
	return subscriptions, receivers, nil
}

func receiver(number uint32, w config.Webhook) deliver.Webhook {
	r := deliver.Webhook{
		Number: number, ID: w.ID, UID: w.UID, Name: w.Name, CreatedByID: w.CreatedByID, URL: w.URL,
		Enabled: w.Enabled, Events: w.Events, ProjectIDs: w.ProjectIDs,
		CreatedAt: timeOrZero(w.CreatedAt), UpdatedAt: timeOrZero(w.UpdatedAt),
		Timeout: w.Timeout, Concurrency: w.Concurrency, Schedule: w.Retry.Schedule, MaxAge: w.Retry.MaxAge,
		RootCAs: w.RootCAs, Headers: map[string]string{},
	}
	for _, s := range w.Secrets {
		r.Secrets = append(r.Secrets, s.Reveal())
	}
	for name, value := range w.Headers {
		r.Headers[name] = value.Reveal()
	}
	return r
}

func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// overrides turns the config's tables block into mapping's.
func overrides(tables map[string]config.Table) map[string]mapping.Override {
	o := make(map[string]mapping.Override, len(tables))
	for entity, t := range tables {
		o[entity] = mapping.Override{Table: t.Table, Columns: t.Columns, Omit: t.Omit, Enabled: t.Enabled}
	}
	return o
}
