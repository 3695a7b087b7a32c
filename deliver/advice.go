package deliver

import (
	"errors"
	"net/http"
)

// Advice says what a person can do about an attempt that failed; "" for one that did not.
func Advice(r Result) string {
	switch {
	case errors.Is(r.Err, ErrAddress):
		return "if bluetap shall reach this address, name its network under delivery.allowedNetworks"
	case errors.Is(r.Err, errTimeout):
		return "let the receiver answer before it works on the event, or raise the webhook's timeout"
	case r.Err != nil:
		return "check the webhook's url, and that its receiver runs and can be reached from here"
	case judge(r.Code).delivered:
		return ""
	case r.Code >= 300 && r.Code <= 399:
		return "redirects are not followed: set the webhook's url to where it leads"
	case judge(r.Code).gone:
		return "the receiver wants nothing any more: remove the webhook, give it another url, or let it answer otherwise"
	case r.Code == http.StatusUnauthorized || r.Code == http.StatusForbidden:
		return "check the webhook's secret and headers against what the receiver expects"
	}
	return "look into the receiver's log for this webhook-id"
}
