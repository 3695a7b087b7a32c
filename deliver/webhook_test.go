package deliver

import (
	"encoding/json"
	"testing"
	"time"
)

func TestBody(t *testing.T) {
	t.Parallel()
	full := Webhook{
		ID: "clb4", UID: "edb5", Name: `a "b" <c>`, URL: parseURL(t, "https://example.com/h?a=1&b=2"), Enabled: true,
		Secrets: []string{"hush"}, Events: []string{"TODO_CREATED", "TODO_MOVED"}, ProjectIDs: []string{"p"},
		CreatedByID: "u", CreatedAt: time.Date(2022, 12, 1, 7, 1, 25, 14999999, time.UTC),
		UpdatedAt: time.Date(2022, 12, 1, 12, 23, 0, 661000000, time.FixedZone("", 3600)),
	}
	bare := Webhook{ID: "w", URL: parseURL(t, "http://example.com")}
	for _, tc := range []struct {
		hook         Webhook
		values, want string
	}{
		{full, `"currentValue":{"a":1}`, `{"event":"TODO_CREATED","webhook":{"id":"clb4","uid":"edb5","name":"a \"b\" <c>",` +
			`"url":"https://example.com/h?a=1&b=2","secret":"","status":"HEALTHY","enabled":true,"metadata":{"events":[` +
			`"TODO_CREATED","TODO_MOVED"],"projectIds":["p"]},"createdById":"u","createdAt":"2022-12-01T07:01:25.014Z",` +
			`"updatedAt":"2022-12-01T11:23:00.661Z"},"currentValue":{"a":1}}`},
		{bare, "", `{"event":"TODO_CREATED","webhook":{"id":"w","uid":null,"name":null,"url":"http://example.com",` +
			`"secret":"","status":"HEALTHY","enabled":false,"metadata":{"events":[],"projectIds":[]},"createdById":null,` +
			`"createdAt":null,"updatedAt":null}}`},
	} {
		s := sender{object: tc.hook.appendObject(nil)}
		got := s.body("TODO_CREATED", []byte(tc.values))
		if string(got) != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
		if !json.Valid(got) {
			t.Errorf("not JSON: %s", got)
		}
	}
}
