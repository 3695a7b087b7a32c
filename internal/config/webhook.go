package config

import (
	"cmp"
	"crypto/x509"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var webhookFields = append([]field[Webhook]{
	{"id", readID},
	{"uid", func(w *Webhook, v value) { v.optional(&w.UID) }},
	{"name", func(w *Webhook, v value) { v.optional(&w.Name) }},
	{"url", readURL},
	{"secret", readSecret},
	{"secrets", readSecrets},
	{"enabled", func(w *Webhook, v value) { v.boolean(&w.Enabled) }},
	{"format", readFormat}, // before events, whose names depend on it
	{"events", readEvents},
	{"companyIds", func(w *Webhook, v value) { v.strs(&w.CompanyIDs) }},
	{"projectIds", func(w *Webhook, v value) { v.strs(&w.ProjectIDs) }},
	{"requireMembership", func(w *Webhook, v value) { v.boolean(&w.RequireMembership) }},
	{"filter", readFilter},
	{"changed", func(w *Webhook, v value) { v.strs(&w.Changed) }},
	{"if", readIf},
	{"headers", readHeaders},
	{"caFile", readCAFile},
	{"proxy", nil},
	{"createdById", func(w *Webhook, v value) { v.optional(&w.CreatedByID) }},
	{"createdAt", func(w *Webhook, v value) { v.moment(&w.CreatedAt) }},
	{"updatedAt", func(w *Webhook, v value) { v.moment(&w.UpdatedAt) }},
}, lift(policyFields, func(w *Webhook) *Policy { return &w.Policy })...)

func readWebhooks(c *Config, v value) {
	first := map[string]int{} // the line on which an id was first given
	entries, ok := v.list()
	for _, entry := range entries {
		w := newWebhook(c.Delivery)
		given := decode(entry, webhookFields, &w, "id", "url")
		if both, ok := given["secrets"]; ok && given["secret"].node != nil {
			both.faultAtKey("cannot stand beside secret; name them all here")
		}
		if id := given["id"]; w.ID != "" && first[w.ID] > 0 {
			id.fault("is the id of the webhook on line %d too", first[w.ID])
		} else if w.ID != "" {
			first[w.ID] = id.line
		}
		checkAsked(w, given)
		w.place.put(entry, given)
		c.Webhooks = append(c.Webhooks, w)
	}
	if ok && len(entries) == 0 {
		v.warn("no webhook is named: nothing will be delivered")
	}
}

func readID(w *Webhook, v value) {
	var id string
	if !v.str(&id) {
		return
	}
	odd := func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }
	if utf8.RuneCountInString(id) > 200 || strings.ContainsFunc(id, odd) {
		v.fault("must be 1 to 200 characters without spaces and control characters")
		return
	}
	w.ID = id
}

// readURL never repeats the parser's error: it quotes the URL.
func readURL(w *Webhook, v value) {
	var text string
	if !v.str(&text) {
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		v.fault("must be an absolute URL such as https://example.com/hooks")
	case !validPort(u.Port()):
		v.fault("the port must be a number from 1 to 65535")
	case u.User != nil:
		v.fault("must not hold a user or password; use headers: {Authorization: …}")
	case strings.Contains(text, "#"):
		v.fault("must not have a fragment (#…), it would never be sent")
	default:
		w.URL = u
		if u.Scheme == "http" {
			v.warn("http sends the events unencrypted; use https")
		}
	}
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

func readSecret(w *Webhook, v value) {
	var s Secret
	if v.secret(&s) && v.usable(s) {
		w.Secrets = []Secret{s}
	}
}

func readSecrets(w *Webhook, v value) {
	entries, ok := v.list()
	if ok && len(entries) == 0 {
		v.fault("must have at least one entry")
	}
	w.Secrets = nil
	for _, e := range entries {
		var s Secret
		if e.secret(&s) && e.usable(s) {
			w.Secrets = append(w.Secrets, s)
		}
	}
}

// usable reports a secret that would not sign as the receiver expects (Standard Webhooks: what follows whsec_ is the
// key, base64 encoded).
func (v value) usable(s Secret) bool {
	if s.Reveal() == "" {
		v.fault("is empty")
		return false
	}
	encoded, standard := strings.CutPrefix(s.Reveal(), "whsec_")
	if !standard {
		return true
	}
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(key) == 0 || strings.ContainsAny(encoded, "\r\n") {
		v.fault("what follows whsec_ must be standard base64 with padding")
		return false
	}
	return true
}

func readFormat(w *Webhook, v value) {
	var name string
	if !v.str(&name) {
		return
	}
	if formats := []string{FormatBlue, FormatRecord}; !slices.Contains(formats, name) {
		v.fault("must be blue or record%s", suggest(name, formats))
		return
	}
	w.Format = name
}

func readEvents(w *Webhook, v value) {
	known, other := v.in.eventNames(w.Format)
	entries, _ := v.list()
	w.Events = make([]string, 0, len(entries))
	for _, e := range entries {
		var name string
		switch {
		case !e.str(&name):
		case slices.Contains(w.Events, name):
			e.warn("is named twice")
		case known == nil || slices.Contains(known, name):
			w.Events = append(w.Events, name)
		case slices.Contains(other, name):
			e.fault("is not an event of format %s, which this webhook has", w.Format)
		default:
			e.fault("unknown event%s", cmp.Or(suggest(name, known), "; bluetap events lists them"))
		}
	}
}

// eventNames returns the events that a webhook of the format may name, nil for any, and those of the other format.
func (in *reading) eventNames(format string) (known, other []string) {
	blue := slices.Concat(in.opts.Events, in.opts.Extensions)
	if format == FormatRecord {
		return in.opts.Records, blue
	}
	return blue, in.opts.Records
}

func readCAFile(w *Webhook, v value) {
	var name string
	if !v.optional(&name) {
		return
	}
	path := v.in.abs(name)
	data, err := readFile(path)
	if err != nil {
		v.fault("the file cannot be used: %s", reason(err))
		return
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		v.fault("the file holds no certificate in PEM form")
		return
	}
	w.CAFile, w.RootCAs = path, pool
}
