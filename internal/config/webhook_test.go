package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// at returns base and a webhook with the given url on line 5.
func at(url string) string { return base + "webhooks:\n- id: w1\n  url: " + url + "\n" }

const (
	notAbsolute = "5: webhooks[0].url: must be an absolute URL such as https://example.com/hooks"
	notEncoded  = "6: webhooks[0].secret: what follows whsec_ must be standard base64 with padding"
)

var webhookFaultCases = []struct{ name, text, want string }{
	{"id absent", base + "webhooks:\n- name: a\n  url: https://example.com\n", "4: webhooks[0].id: is required"},
	{"id empty", base + "webhooks:\n- id: ''\n  url: https://example.com\n", "4: webhooks[0].id: is empty"},
	{"id null", base + "webhooks:\n- id:\n  url: https://example.com\n", "4: webhooks[0].id: has no value"},
	{"id with a space", base + "webhooks:\n- id: a b\n  url: https://example.com\n",
		"4: webhooks[0].id: must be 1 to 200 characters without spaces and control characters"},
	{"id with a control character", base + "webhooks:\n- id: \"a\\tb\"\n  url: https://example.com\n",
		"4: webhooks[0].id: must be 1 to 200 characters without spaces and control characters"},
	{"id too long", base + "webhooks:\n- id: " + strings.Repeat("ä", 201) + "\n  url: https://example.com\n",
		"4: webhooks[0].id: must be 1 to 200 characters without spaces and control characters"},
	{"id twice", in("- {url: https://example.com, id: w1}")[:len(hook)] + "- {url: https://example.com, id: w1}\n",
		"6: webhooks[1].id: is the id of the webhook on line 4 too"},

	{"url absent", base + "webhooks:\n- id: w1\n", "4: webhooks[0].url: is required"},
	{"url null", at(""), "5: webhooks[0].url: has no value"},
	{"url relative", at("/hooks"), notAbsolute},
	{"url without scheme", at("example.com/hooks"), notAbsolute},
	{"url without host", at("https:///hooks"), notAbsolute},
	{"url opaque", at("https:example.com"), notAbsolute},
	{"url of another scheme", at("ftp://example.com/?hunter2"), notAbsolute},
	{"url not parsed", at("https://a:hunter2/@example.com/%zz"), notAbsolute},
	{"url port", at("https://example.com:70000"), "5: webhooks[0].url: the port must be a number from 1 to 65535"},
	{"url userinfo", at("https://user:hunter2@example.com"),
		"5: webhooks[0].url: must not hold a user or password; use headers: {Authorization: …}"},
	{"url fragment", at("'https://example.com/a#'"),
		"5: webhooks[0].url: must not have a fragment (#…), it would never be sent"},

	{"secret empty", in("secret: ''"), "6: webhooks[0].secret: is empty"},
	{"secret null", in("secret:"), "6: webhooks[0].secret: has no value"},
	{"secret not base64", in("secret: whsec_hunter2!"), notEncoded},
	{"secret without padding", in("secret: whsec_aGk"), notEncoded},
	{"secret with URL alphabet", in("secret: whsec_-_-_"), notEncoded},
	{"secret with nothing after whsec_", in("secret: whsec_"), notEncoded},
	{"secret and secrets", in("secret: a\n  secrets: [b]"),
		"7: webhooks[0].secrets: cannot stand beside secret; name them all here"},
	{"secrets null", in("secrets:"), "6: webhooks[0].secrets: must have at least one entry"},
	{"secrets text", in("secrets: hunter2"), "6: webhooks[0].secrets: must be a list"},
	{"secrets entry", in("secrets: [a, '']"), "6: webhooks[0].secrets[1]: is empty"},
	{"secret as a key", in("{secret:hunter2}")[:len(hook)] + "- {id: b, url: https://example.com, secret:hunter2}\n",
		"6: webhooks[1].secret…: unknown key"},

	{"enabled", in("enabled: yes"), "6: webhooks[0].enabled: must be true or false"},
	{"enabled in quotes", in("enabled: 'false'"), "6: webhooks[0].enabled: must be true or false"},
	{"event", in("events: [TODO_CREATED, TODO_CRATED]"),
		"6: webhooks[0].events[1]: unknown event; did you mean TODO_CREATED?"},
	{"event of the other format", in("events: [RECORD_CREATED]"),
		"6: webhooks[0].events[0]: is not an event of format blue, which this webhook has"},
	{"event of the other format, format behind", in("events: [TODO_CREATED, RECORD_CREATED]\n  format: record"),
		"6: webhooks[0].events[0]: is not an event of format record, which this webhook has"},
	{"event of no format", in("format: record\n  events: [RECORD_CREATD]"),
		"7: webhooks[0].events[0]: unknown event; did you mean RECORD_CREATED?"},
	{"format", in("format: records"), "6: webhooks[0].format: must be blue or record; did you mean record?"},
	{"format empty", in("format: ''"), "6: webhooks[0].format: is empty"},
	{"event nowhere near", in("events:\n  - hunter2"),
		"7: webhooks[0].events[0]: unknown event; bluetap events lists them"},
	{"project null", in("projectIds: [~]"), "6: webhooks[0].projectIds[0]: has no value"},
	{"project empty", in("projectIds: [a, '']"), "6: webhooks[0].projectIds[1]: is empty"},
	{"createdAt", in("createdAt: 2022-12-01"),
		"6: webhooks[0].createdAt: must be a time such as 2022-12-01T07:01:25.014Z"},

	{"headers a list", in("headers: [hunter2]"), "6: webhooks[0].headers: must be a mapping of keys to values"},
	{"header reserved", in("headers: {Host: a}"),
		"6: webhooks[0].headers.Host: is a header that bluetap or HTTP itself sets; take it out"},
	{"header twice", in("headers:\n    X-A: 1\n    x-a: 2"),
		"8: webhooks[0].headers.x-a: is given twice, first on line 7"},
	{"header name", in("headers: {'X Y': hunter2}"), "6: webhooks[0].headers.X…: is not a header's name"},
	{"header null", in("headers: {X-A: }"), "6: webhooks[0].headers.X-A: has no value"},
	{"header line break", in("headers: {X-A: \"hunter2\\r\\nX-B: c\"}"),
		"6: webhooks[0].headers.X-A: must not hold control characters such as line breaks"},

	{"caFile absent", in("caFile: none.pem"),
		"6: webhooks[0].caFile: the file cannot be used: no such file or directory"},
	{"caFile a folder", in("caFile: ."), "6: webhooks[0].caFile: the file cannot be used: is a folder"},
	{"caFile of something else", in("caFile: bluetap.yaml"),
		"6: webhooks[0].caFile: the file holds no certificate in PEM form"},

	{"variable not set", in("secret: env:NOT_SET"),
		"6: webhooks[0].secret: the environment variable NOT_SET is not set"},
	{"variable empty", in("name: env:EMPTY"), "6: webhooks[0].name: the environment variable EMPTY is empty"},
	{"variable of no name", in("name: 'env:'"), "6: webhooks[0].name: env: must be followed by a variable's name"},
	{"variable of a wrong name", in("name: env:$hunter2"),
		"6: webhooks[0].name: env: must be followed by a variable's name"},
	{"reference in an unknown variable's place", in("timeout: env:NOT_SET"),
		"6: webhooks[0].timeout: the environment variable NOT_SET is not set"},
	{"file absent", in("secret: file:/none/secret"),
		`6: webhooks[0].secret: the file "/none/secret" cannot be used: no such file or directory`},
	{"file a folder", in("secret: file:."), `6: webhooks[0].secret: the file "." cannot be used: is a folder`},
	{"file endless", in("secret: file:/dev/zero"),
		`6: webhooks[0].secret: the file "/dev/zero" cannot be used: is not an ordinary file`},
	{"file of no name", in("secret: 'file:'"), "6: webhooks[0].secret: file: must be followed by a path"},
}

func TestReservedHeaders(t *testing.T) {
	for _, name := range []string{
		"host", "User-Agent", "content-length", "Content-Type", "X-SIGNATURE", "webhook-id", "Webhook-Signature",
		"bluetap-event", "Bluetap-Whatever", "Transfer-Encoding", "connection", "TE", "Upgrade", "expect",
	} {
		if _, _, _, err := load(t, in("headers: {"+name+": a}"), nil); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for _, name := range []string{"Authorization", "X-Api-Key", "x-signature-2", "Hostname", "Idempotency-Key", "Accept"} {
		c, _ := mustLoad(t, in("headers: {"+name+": a}"), nil)
		if got := c.Webhooks[0].Headers[name].Reveal(); got != "a" {
			t.Errorf("%s = %q, want a", name, got)
		}
	}
}

// certificate returns a certificate in PEM form.
func certificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestCAFile(t *testing.T) {
	dir, text := t.TempDir(), certificate(t)
	ca := write(t, dir, "ca.pem", text)
	c, _, err := Load(write(t, dir, "bluetap.yaml", in("caFile: ca.pem")), testOptions(nil))
	if err != nil {
		t.Fatal(err)
	}
	want := x509.NewCertPool()
	want.AppendCertsFromPEM([]byte(text))
	if w := c.Webhooks[0]; w.CAFile != ca || !w.RootCAs.Equal(want) || !filepath.IsAbs(w.CAFile) {
		t.Errorf("caFile %s, pool as in the file: %v", w.CAFile, w.RootCAs.Equal(want))
	}
}
