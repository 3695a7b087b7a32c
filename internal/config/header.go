package config

import "strings"

// reservedHeaders are set by bluetap (design: delivery) or belong to the connection and not to the request
// (RFC 9110 §7.6.1); a trailing - stands for every name that begins so.
var reservedHeaders = []string{
	"host", "user-agent", "content-", "x-signature", "webhook-", "bluetap-",
	"connection", "transfer-encoding", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect",
}

func readHeaders(w *Webhook, v value) {
	w.Headers = map[string]Secret{}
	first := map[string]int{} // names are the same whatever their case
	entries, _ := v.mapping()
	for _, e := range entries {
		lower := strings.ToLower(e.name)
		switch {
		case !validHeaderName(e.name):
			e.val.faultAtKey("is not a header's name")
			continue
		case reservedHeader(lower):
			e.val.faultAtKey("is a header that bluetap or HTTP itself sets; take it out")
			continue
		case first[lower] > 0:
			e.val.faultAtKey("is given twice, first on line %d", first[lower])
			continue
		}
		first[lower] = e.val.key
		var s Secret
		if !e.val.secret(&s) {
			continue
		}
		if strings.ContainsFunc(s.Reveal(), func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			e.val.fault("must not hold control characters such as line breaks")
			continue
		}
		w.Headers[e.name] = s
	}
}

func reservedHeader(lower string) bool {
	for _, reserved := range reservedHeaders {
		if lower == reserved || strings.HasSuffix(reserved, "-") && strings.HasPrefix(lower, reserved) {
			return true
		}
	}
	return false
}

// validHeaderName is RFC 9110's token (§5.6.2).
func validHeaderName(name string) bool {
	odd := func(r rune) bool {
		return !isWordRune(r) && !strings.ContainsRune("!#$%&'*+.^`|~", r)
	}
	return name != "" && !strings.ContainsFunc(name, odd)
}
