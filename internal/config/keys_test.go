package config

import (
	"fmt"
	"reflect"
	"testing"
	"time"
)

// everyKey sets every key, most of them to other than the default.
const everyKey = `
webhooks:                # before delivery, from which it inherits all the same
  - id: w1
    uid: u1
    name: Testing webhook
    url: https://example.com/hook?token=x
    secrets: [new, whsec_bmV3]
    enabled: false
    events: [TODO_MOVED, TODO_UPDATED]
    companyIds: [c1]
    projectIds: [p1, 42]
    requireMembership: true
    changed: [title, duedAt]
    if: '"urgent" in tags'
    filter:
      match: stopsMatching
      todoListTitles: [Doing, 7]
      done: false
      createdStart: 2026-01-02T03:04:05+01:00
      createdEnd: 2026-01-02
      search: Release
      fields:
      - {customFieldId: f, op: GTE, values: [1.5]}
      - {customFieldId: f, op: EQ, values: a}
      - {customFieldId: g, op: IS, values: null}
      - {customFieldId: g, op: NOT, values: [true]}
    headers: {Authorization: Bearer x}
    createdById: u9
    createdAt: 2022-12-01T07:01:25.014Z
    updatedAt: 2022-12-01T12:23:00.661+01:00
    timeout: 100ms
    maxQueue: 2048KiB
    retry: {maxAge: 1h}
  - {id: w2, url: 'http://other.example', events: [RECORD_UPDATED], format: record, secret: old, concurrency: 1,
     deadLetterRetention: 1h, retry: {schedule: []}}
database:
  url: host=db user=app password=pw dbname=blue
  schema: blue
  slot: slot_2
  publication: Pub
  tables:
    todoList: {table: TodoList, columns: {projectId: project}, omit: [secretNote]}
    tag: {enabled: false}
state: {dir: /var/lib/bluetap, maxSize: 1536 MiB, retention: 1h30m}
delivery:
  maxInFlight: 7
  whenFull: pause
  allowedNetworks: [10.1.2.3/8, 'fd00::/8']
  timeout: 5m
  concurrency: 1024
  retry: {schedule: [0s, 1ms], maxAge: 2h}
  maxQueue: 1TiB
  deadLetterRetention: 48h
`

// same is one thing that was read and what it should be.
type same struct {
	name      string
	got, want any
}

func compare(t *testing.T, checks []same) {
	t.Helper()
	for _, check := range checks {
		if !reflect.DeepEqual(check.got, check.want) {
			t.Errorf("%s = %v, want %v", check.name, check.got, check.want)
		}
	}
}

func TestEverySectionIsRead(t *testing.T) {
	c, _ := mustLoad(t, everyKey, nil)
	todoList := Table{
		Table: "TodoList", Columns: map[string]string{"projectId": "project"}, Omit: []string{"secretNote"}, Enabled: true,
	}
	policy := Policy{
		Timeout: 5 * time.Minute, Concurrency: 1024, MaxQueue: 1 << 40, DeadLetterRetention: 48 * time.Hour,
		Retry: Retry{Schedule: []time.Duration{0, time.Millisecond}, MaxAge: 2 * time.Hour},
	}
	compare(t, []same{
		{"database.url", c.Database.URL.Reveal(), "host=db user=app password=pw dbname=blue"},
		{"database.schema", c.Database.Schema, "blue"},
		{"database.slot", c.Database.Slot, "slot_2"},
		{"database.publication", c.Database.Publication, "Pub"},
		{"database.tables", c.Database.Tables, map[string]Table{"todoList": todoList, "tag": {}}},
		{"state", c.State, State{Dir: "/var/lib/bluetap", MaxSize: 1536 << 20, Retention: 90 * time.Minute}},
		{"delivery.maxInFlight", c.Delivery.MaxInFlight, 7},
		{"delivery.whenFull", c.Delivery.WhenFull, WhenFullPause},
		{"delivery.allowedNetworks", fmt.Sprint(c.Delivery.AllowedNetworks), "[10.0.0.0/8 fd00::/8]"},
		{"delivery's policy, whatever webhooks say", c.Delivery.Policy, policy},
	})
}

func TestEveryKeyOfAWebhookIsRead(t *testing.T) {
	c, _ := mustLoad(t, everyKey, nil)
	w := c.Webhooks[0]
	compare(t, []same{
		{"id", w.ID, "w1"},
		{"uid", w.UID, "u1"},
		{"name", w.Name, "Testing webhook"},
		{"url", w.URL.String(), "https://example.com/hook?token=x"},
		{"secrets", w.Secrets, []Secret{NewSecret("new"), NewSecret("whsec_bmV3")}},
		{"secret", c.Webhooks[1].Secrets, []Secret{NewSecret("old")}},
		{"enabled", w.Enabled, false},
		{"enabled by default", c.Webhooks[1].Enabled, true},
		{"events", w.Events, []string{"TODO_MOVED", "TODO_UPDATED"}},
		{"events of format record", c.Webhooks[1].Events, []string{"RECORD_UPDATED"}},
		{"format", c.Webhooks[1].Format, FormatRecord},
		{"format by default", w.Format, FormatBlue},
		{"companyIds", w.CompanyIDs, []string{"c1"}},
		{"projectIds", w.ProjectIDs, []string{"p1", "42"}},
		{"requireMembership", w.RequireMembership, true},
		{"changed", w.Changed, []string{"title", "duedAt"}},
		{"if", w.If, `"urgent" in tags`},
		{"filter", w.Filter, Filter{Match: "stopsMatching", Lists: map[string][]string{"todoListTitles": {"Doing", "7"}},
			Flags: map[string]bool{"done": false}, Texts: map[string]string{"search": "Release"},
			Times: map[string]time.Time{"createdStart": time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC),
				"createdEnd": time.Date(2026, 1, 2, 23, 59, 59, 999_999_999, time.UTC)},
			Fields: []FieldTest{{"f", "GTE", []string{"1.5"}}, {"f", "EQ", []string{"a"}}, {"g", "IS", nil},
				{"g", "NOT", []string{"true"}}}}},
		{"no filter", c.Webhooks[1].Filter, Filter{}},
		{"headers", w.Headers, map[string]Secret{"Authorization": NewSecret("Bearer x")}},
		{"createdById", w.CreatedByID, "u9"},
		{"createdAt", w.CreatedAt.Format(time.RFC3339Nano), "2022-12-01T07:01:25.014Z"},
		{"updatedAt", w.UpdatedAt.Format(time.RFC3339Nano), "2022-12-01T11:23:00.661Z"},
		{"no updatedAt", c.Webhooks[1].UpdatedAt, (*time.Time)(nil)},
	})
}

func TestWebhooksInheritFromDelivery(t *testing.T) {
	c, _ := mustLoad(t, everyKey, nil)
	compare(t, []same{
		{"timeout and retry.maxAge of its own", c.Webhooks[0].Policy, Policy{
			Timeout: 100 * time.Millisecond, Concurrency: 1024, MaxQueue: 2 << 20, DeadLetterRetention: 48 * time.Hour,
			Retry: Retry{Schedule: []time.Duration{0, time.Millisecond}, MaxAge: time.Hour},
		}},
		{"all the rest of its own", c.Webhooks[1].Policy, Policy{
			Timeout: 5 * time.Minute, Concurrency: 1, MaxQueue: 1 << 40, DeadLetterRetention: time.Hour,
			Retry: Retry{Schedule: []time.Duration{}, MaxAge: 2 * time.Hour},
		}},
	})
}
