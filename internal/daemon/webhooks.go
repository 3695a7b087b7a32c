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
func webhooks(st *store.Store, configured []config.Webhook, whenFull string,
) ([]mapping.Subscription, []deliver.Webhook, error) {
	var subscriptions []mapping.Subscription
	var receivers []deliver.Webhook
	for _, w := range configured {
		number, err := st.WebhookNumber(w.ID)
		if err != nil {
			return nil, nil, fmt.Errorf("number webhook %s: %w", w.ID, err)
		}
		st.KeepDead(number, w.DeadLetterRetention)
		st.LimitQueue(number, store.QueueLimit{Bytes: uint64(w.MaxQueue), Keep: whenFull == config.WhenFullPause})
		receivers = append(receivers, receiver(number, w))
		if w.Enabled {
			subscriptions = append(subscriptions, subscription(number, w))
		}
	}
	return subscriptions, receivers, nil
}

// wanted returns the event types that a webhook asks for; none stands for all of Blue's.
func wanted(w config.Webhook) []string {
	if w.Format == config.FormatRecord && len(w.Events) == 0 {
		return mapping.RecordTypes()
	}
	return w.Events
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

// knownReceivers returns the webhooks with which the daemon has run.
func knownReceivers(st *store.Store, c *config.Config) []deliver.Webhook {
	var receivers []deliver.Webhook
	numbers := st.WebhookNumbers()
	for _, w := range c.Webhooks {
		if number, ok := numbers[w.ID]; ok {
			receivers = append(receivers, receiver(number, w))
		}
	}
	return receivers
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
