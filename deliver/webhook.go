package deliver

import (
	"crypto/x509"
	"net/url"
	"time"

	"bluetap/internal/jsjson"
)

// Webhook is one configured receiver. The fields from Number to UpdatedAt are what it is; the rest says how it is
// delivered to.
type Webhook struct {
	// Number is the store's stable number of this webhook's ID.
	Number uint32
	// ID is the webhook's identity across reloads.
	ID string
	// UID, Name and CreatedByID are only repeated in the body; "" is written as null.
	UID, Name, CreatedByID string
	// URL is where events are posted to: http or https, without userinfo.
	URL *url.URL
	// Secrets sign the body: the first by Blue's X-Signature, all of them by Standard Webhooks. None = unsigned.
	Secrets []string
	// Enabled is false for a webhook whose pending events stay parked.
	Enabled bool
	// Events and ProjectIDs are repeated in the body's metadata; nil is written as [].
	Events, ProjectIDs []string
	// CreatedAt and UpdatedAt are repeated in the body; the zero time is written as null.
	CreatedAt, UpdatedAt time.Time

	// Headers are sent with every request beside bluetap's own, which win.
	Headers map[string]string
	// Timeout bounds a whole attempt, response body included. 0 = 7 s.
	Timeout time.Duration
	// Concurrency is how many requests may be under way at once. Less than 1 = 16.
	Concurrency int
	// Schedule holds the pauses after the first, second, … failed attempt, so there are len(Schedule)+1 attempts.
	// Empty = one attempt only.
	Schedule []time.Duration
	// MaxAge is how long after its commit an event is still sent; older ones become dead letters. 0 = no limit.
	MaxAge time.Duration
	// RootCAs verify the receiver's certificate. nil = the system's.
	RootCAs *x509.CertPool
}

const (
	defaultTimeout     = 7 * time.Second
	defaultConcurrency = 16
	millis             = "2006-01-02T15:04:05.000Z"
)

func (w Webhook) withDefaults() Webhook {
	if w.Timeout <= 0 {
		w.Timeout = defaultTimeout
	}
	if w.Concurrency < 1 {
		w.Concurrency = defaultConcurrency
	}
	return w
}

// appendObject writes the body's "webhook" object: its keys and their order are Blue's. Secret and status are
// constants, so that a body depends on the configuration alone and not on when it is sent.
func (w *Webhook) appendObject(dst []byte) []byte {
	dst = appendField(append(dst, `{"id":`...), w.ID)
	dst = appendField(append(dst, `,"uid":`...), w.UID)
	dst = appendField(append(dst, `,"name":`...), w.Name)
	dst = appendField(append(dst, `,"url":`...), w.URL.String())
	dst = append(dst, `,"secret":"","status":"HEALTHY","enabled":`...)
	if w.Enabled {
		dst = append(dst, "true"...)
	} else {
		dst = append(dst, "false"...)
	}
	dst = appendList(append(dst, `,"metadata":{"events":`...), w.Events)
	dst = appendList(append(dst, `,"projectIds":`...), w.ProjectIDs)
	dst = appendField(append(dst, `},"createdById":`...), w.CreatedByID)
	dst = appendField(append(dst, `,"createdAt":`...), stamp(w.CreatedAt))
	dst = appendField(append(dst, `,"updatedAt":`...), stamp(w.UpdatedAt))
	return append(dst, '}')
}

func appendField(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return jsjson.AppendString(dst, s)
}

func appendList(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = jsjson.AppendString(dst, s)
	}
	return append(dst, ']')
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(millis)
}
