package deliver

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	secretPrefix = "whsec_"
	micros       = "2006-01-02T15:04:05.000000Z07:00"
)

// message is one event on its way to one webhook: what is the same on every attempt, and the attempt's number.
type message struct {
	id        string
	event     string
	committed time.Time
	attempt   int
	replay    bool
	body      []byte
}

// signer holds a webhook's keys: Blue's own scheme takes the first secret as it is written, Standard Webhooks the
// bytes behind a whsec_ prefix.
type signer struct {
	blue     []byte
	standard [][]byte
}

func newSigner(secrets []string) signer {
	var s signer
	for i, secret := range secrets {
		if i == 0 {
			s.blue = []byte(secret)
		}
		s.standard = append(s.standard, standardKey(secret))
	}
	return s
}

// standardKey takes a secret that claims to be base64 and is not as plain bytes: the receiver was given the same
// string, and a request that fails to verify says more than one that is never sent.
func standardKey(secret string) []byte {
	if encoded, ok := strings.CutPrefix(secret, secretPrefix); ok {
		if key, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			return key
		}
	}
	return []byte(secret)
}

// sign sets the headers that depend on the moment of sending (Standard Webhooks 1.0.0, "Signature scheme"). Names
// are written in lower case as that specification does, hence past http.Header's canonical form.
func (s signer) sign(h http.Header, m *message, now time.Time) {
	ts := strconv.FormatInt(now.Unix(), 10)
	h["webhook-timestamp"] = []string{ts}
	if len(s.standard) == 0 {
		return
	}
	h["X-Signature"] = []string{hex.EncodeToString(mac(s.blue, m.body))}
	signatures := make([]string, len(s.standard))
	for i, key := range s.standard {
		sum := mac(key, []byte(m.id), []byte("."), []byte(ts), []byte("."), m.body)
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(sum)
	}
	h["webhook-signature"] = []string{strings.Join(signatures, " ")}
}

func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// describe sets the headers that say which event this is.
func (m *message) describe(h http.Header) {
	h["webhook-id"] = []string{m.id}
	h["bluetap-event"] = []string{m.event}
	h["bluetap-attempt"] = []string{strconv.Itoa(m.attempt)}
	h["bluetap-committed-at"] = []string{m.committed.UTC().Format(micros)}
	if m.replay {
		h["bluetap-replay"] = []string{"1"}
	}
}
