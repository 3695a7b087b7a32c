//go:build unix

package soak

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The forms of two headers, as the page about formats has them.
var idForm = regexp.MustCompile(`^evt_[0-9a-f]{8}_[0-9a-f]{16}_[0-9a-f]{12}$`)

const committedForm = "2006-01-02T15:04:05.000000Z"

// readRequest takes an arrival from what came.
func readRequest(header http.Header, body []byte) *arrival {
	a := &arrival{id: header.Get("webhook-id"), event: header.Get("bluetap-event"), attempt: header.Get("bluetap-attempt"),
		body: sha256.Sum256(body), at: time.Now()}
	a.committed, _ = time.Parse(committedForm, header.Get("bluetap-committed-at"))
	if idForm.MatchString(a.id) {
		parts := strings.Split(a.id, "_")
		a.lsn, _ = strconv.ParseUint(parts[2], 16, 64)
	}
	return a
}

// wrongIn names what is wrong with a request whatever the truth is, "" if nothing is. The moment of sending is of the
// daemon's clock, which jumps: it need only be the one that is signed.
func (h *hook) wrongIn(a *arrival, header http.Header, body []byte) string {
	stamp := header.Get("webhook-timestamp")
	_, stampErr := strconv.ParseInt(stamp, 10, 64)
	attempt, attemptErr := strconv.Atoi(a.attempt)
	for _, check := range []struct {
		what string
		ok   bool
	}{
		{"webhook-id", a.lsn > 0},
		{"X-Signature", header.Get("X-Signature") == hex.EncodeToString(mac(body))},
		{"webhook-timestamp", stampErr == nil},
		{"webhook-signature", header.Get("webhook-signature") ==
			"v1,"+base64.StdEncoding.EncodeToString(mac([]byte(a.id+"."+stamp+"."), body))},
		{"bluetap-attempt", attemptErr == nil && attempt > 0},
		{"bluetap-committed-at", !a.committed.IsZero()},
		{"Content-Type", header.Get("Content-Type") == "application/json"},
		{"the body's event and webhook", h.valuesOf(a, body) != nil},
	} {
		if !check.ok {
			return check.what + " is wrong"
		}
	}
	return ""
}

func mac(parts ...[]byte) []byte {
	sum := hmac.New(sha256.New, []byte(secret))
	for _, part := range parts {
		sum.Write(part)
	}
	return sum.Sum(nil)
}

// valuesOf cuts what follows the webhook out of a body, as a document of its own. It returns nil if what comes before
// is not the event that the header names and the webhook that the request is for.
func (h *hook) valuesOf(a *arrival, body []byte) []byte {
	rest, ok := bytes.CutPrefix(body, []byte(`{"event":"`+a.event+`"`+h.head))
	if !ok || !slices.ContainsFunc(h.values, func(key string) bool { return bytes.HasPrefix(rest, []byte(key)) }) {
		return nil
	}
	return append([]byte("{"), rest...)
}
