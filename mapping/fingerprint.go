package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Fingerprint stands for all that makes events of net changes, and webhooks of events: tables and columns of the model
// with their overrides, the event table, the subscriptions, and the version of the program for what is code. While it
// stays the same, the same net changes over the same rows give the same events in the same order, for the same
// webhooks.
func Fingerprint(m *Model, subscriptions []Subscription, version string) string {
	h := sha256.New()
	add := func(v any) { fmt.Fprintf(h, "%#v\n", v) } // maps in the order of their keys, texts quoted
	add(version)
	add(definitions)
	for _, table := range eventTables() {
		for _, r := range table {
			add([]any{r.event, r.entity, r.on, r.when})
		}
	}
	for e, t := range m.tables {
		if t != nil {
			add([]any{e, t.source, t.override, t.keyIsID})
		}
	}
	add(subscriptions)
	return hex.EncodeToString(h.Sum(nil))
}
