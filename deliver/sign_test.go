package deliver

import (
	"net/http"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// TestSignatureVector is the vector that Svix's own tests hold.
func TestSignatureVector(t *testing.T) {
	t.Parallel()
	m := &message{id: "msg_p5jXN8AQM9LWM0D4loKWxJek", body: []byte(`{"test": 2432232314}`)}
	h := http.Header{}
	newSigner([]string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}).sign(h, m, time.Unix(1614265330, 0))
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	if got := h["webhook-signature"]; len(got) != 1 || got[0] != want { //nolint:staticcheck // sent in lower case
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestBlueSignature was computed with: printf '{"test": 2432232314}' | openssl dgst -sha256 -hmac whsec_plain
func TestBlueSignature(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	newSigner([]string{"whsec_plain", "other"}).sign(h, &message{body: []byte(`{"test": 2432232314}`)}, time.Now())
	const want = "fc4d38a5af1f4386144897c3e142109e74c9358dfe8c18bd39805a8012e412df"
	if got := h.Get("X-Signature"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSignaturesVerify(t *testing.T) {
	t.Parallel()
	secrets := []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "a plain old secret"}
	m := &message{id: "evt_1", body: []byte(`{"event":"TODO_CREATED"}`)}
	wired := http.Header{}
	s := newSigner(secrets)
	m.describe(wired)
	s.sign(wired, m, time.Now())
	h := http.Header{}
	for name, values := range wired {
		h.Set(name, values[0])
	}
	first, err := standardwebhooks.NewWebhook(secrets[0])
	if err != nil {
		t.Fatal(err)
	}
	second, err := standardwebhooks.NewWebhookRaw([]byte(secrets[1]))
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := standardwebhooks.NewWebhookRaw([]byte("another"))
	if err != nil {
		t.Fatal(err)
	}
	for name, verifier := range map[string]*standardwebhooks.Webhook{"first": first, "second": second} {
		if err := verifier.Verify(m.body, h); err != nil {
			t.Errorf("%s secret: %v", name, err)
		}
	}
	if stranger.Verify(m.body, h) == nil {
		t.Error("a secret that did not sign verifies")
	}
}

func TestUnsigned(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	newSigner(nil).sign(h, &message{}, time.Unix(7, 0))
	if len(h) != 1 || h["webhook-timestamp"][0] != "7" { //nolint:staticcheck // sent in lower case
		t.Errorf("got %v, want the timestamp alone", h)
	}
}
