package mapping

import (
	"fmt"
	"hash/fnv"
	"time"
)

// GapOverflowed is the reason of a Gap whose events were not kept because the webhook's queue was full.
const GapOverflowed = "OVERFLOWED"

// Gap is what GapEvent tells one webhook: that events are missing of the commits from From to To, both included.
type Gap struct {
	Webhook  string // its id
	Reason   string // GapOverflowed
	From, To time.Time
	First    uint64 // end of the first commit
	Last     uint64 // end of the last one
	Epoch    string // the one of the missing events' ids
}

// ID is the webhook-id: the same for the same gap of a webhook.
func (g Gap) ID() string {
	return eventID(g.Epoch, g.Last, GapEvent, "webhook", g.Webhook, fmt.Sprintf("%016x", g.First))
}

// Lane is that of the webhook itself, which no record shares but by chance.
func (g Gap) Lane() uint64 {
	h := fnv.New64a()
	h.Write([]byte("webhook\x00" + g.Webhook))
	return h.Sum64()
}

// AppendValues appends the body's last part, as Event.AppendValues does. The times are those of the commits.
func (g Gap) AppendValues(dst []byte) []byte {
	const millis = "2006-01-02T15:04:05.000Z"
	return fmt.Appendf(dst, `"previousValue":null,"currentValue":{"reason":%q,"from":%q,"to":%q,"epoch":%q}`,
		g.Reason, g.From.UTC().Format(millis), g.To.UTC().Format(millis), g.Epoch)
}
