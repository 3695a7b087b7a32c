//go:build unix

package demo

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// verifier checks both signatures by code that is not bluetap's: the standard library's HMAC, as a receiver of Blue's
// webhooks would write it, and the Standard Webhooks library.
type verifier struct {
	secret   []byte
	standard *standardwebhooks.Webhook
}

func newVerifier(secret string) (verifier, error) {
	standard, err := standardwebhooks.NewWebhookRaw([]byte(secret))
	if err != nil {
		return verifier{}, fmt.Errorf("make verifier: %w", err)
	}
	return verifier{secret: []byte(secret), standard: standard}, nil
}

// read makes an arrival of a request. One that is not signed right, or is not what it says, is one with a fault.
func (v verifier) read(h http.Header, body []byte, at time.Time) arrival {
	a := arrival{id: h.Get("webhook-id"), event: h.Get("bluetap-event"), at: at}
	if a.fault = v.verify(h, body); a.fault != nil {
		return a
	}
	var d document
	if err := json.Unmarshal(body, &d); err != nil {
		a.fault = fmt.Errorf("read body: %w", err)
		return a
	}
	committed, err := time.Parse(time.RFC3339Nano, h.Get("bluetap-committed-at"))
	switch {
	case err != nil:
		a.fault = fmt.Errorf("read bluetap-committed-at: %w", err)
	case d.Event != a.event:
		a.fault = fmt.Errorf("the body is of %s", d.Event)
	}
	a.subject, a.took = d.subject(), at.Sub(committed)
	return a
}

// document is what the demo reads of a body.
type document struct {
	Event                       string
	PreviousValue, CurrentValue *record
}

type record struct{ Title, Name, Text, ID string }

// subject returns what a person would call the record.
func (d document) subject() string {
	for _, r := range []*record{d.CurrentValue, d.PreviousValue} {
		if r != nil {
			return cmp.Or(r.Title, r.Name, r.Text, r.ID)
		}
	}
	return ""
}

func (v verifier) verify(h http.Header, body []byte) error {
	m := hmac.New(sha256.New, v.secret)
	m.Write(body)
	got, err := hex.DecodeString(h.Get("X-Signature"))
	if err != nil || !hmac.Equal(got, m.Sum(nil)) {
		return errors.New("X-Signature does not match")
	}
	if err := v.standard.Verify(body, h); err != nil {
		return fmt.Errorf("webhook-signature: %w", err)
	}
	return nil
}
