package main

import (
	"bytes"
	"flag"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bluetap/internal/jsjson/nodetest"
	"bluetap/mapping"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The golden cases: on Blue's schema, on other layouts of it, and with tables altered while the daemon runs.
const (
	eventCases    = "../../mapping/testdata/events"
	identityCases = "../../mapping/testdata/identities"
	alteredCases  = "../../mapping/testdata/altered"

	fixture = eventCases + "/fixture.sql"
)

// TestEvents commits plain SQL to a real Postgres and compares every body that a real daemon sends with a golden
// file, for each rule of the event table and for what must give nothing.
func TestEvents(t *testing.T) {
	s := newStage(t, "")
	fired := map[string]bool{}
	for _, d := range s.playAll(t, eventCases) {
		fired[d.event] = true
	}
	for _, event := range slices.Concat(mapping.EventTypes(), mapping.ExtensionTypes(), mapping.RecordTypes()) {
		if !fired[event] && event != mapping.GapEvent { // which a full queue fires: TestOverflow
			t.Errorf("no case fires %s", event)
		}
	}
	s.stop(t)
	t.Run("IDs", func(t *testing.T) {
		wantIDs(t, s.to)
		wantIDs(t, s.extensions)
		wantIDs(t, s.records)
	})
	t.Run("Records", func(t *testing.T) { wantRecords(t, s) })
	t.Run("form", func(t *testing.T) {
		wantForm(t, slices.Concat(s.to.deliveries(), s.extensions.deliveries(), s.records.deliveries()))
	})
}

// wantForm holds what is promised of every body: its keys and their order, which values are there, and that JavaScript
// prints it again as it is.
func wantForm(t *testing.T, all []delivery) {
	t.Helper()
	var bodies [][]byte
	for _, d := range all {
		bodies = append(bodies, []byte(d.body))
	}
	const shape = `b => {
		const {event, webhook, ...values} = JSON.parse(text(b));
		return [Object.keys(JSON.parse(text(b))).join(), values.previousValue !== null, values.currentValue !== null]
	}`
	again := nodetest.Map(t, `b => JSON.stringify(JSON.parse(text(b)))`, bodies)
	for i, got := range nodetest.Map(t, shape, bodies) {
		want := "event,webhook,previousValue,currentValue,true,true"
		switch event := all[i].event; {
		case strings.HasPrefix(event, "RECORD_"):
			want = "event,record,company,project,user,true,true"
		case strings.HasSuffix(event, "_CREATED"):
			want = "event,webhook,currentValue,true,true"
		case strings.HasSuffix(event, "_DELETED"):
			want = "event,webhook,previousValue,currentValue,true,false"
		}
		if string(got) != want || !bytes.Equal(again[i], bodies[i]) {
			t.Errorf("keys and values %s, want %s; printed again\n%s\nwant\n%s", got, want, again[i], bodies[i])
		}
	}
}

var eventID = regexp.MustCompile(`^evt_[0-9a-f]{8}_[0-9a-f]{16}_[0-9a-f]{12}$`)

// wantIDs holds that each event that came has an id of its own, in the form that is promised.
func wantIDs(t *testing.T, to *receiver) {
	t.Helper()
	first := map[string]delivery{}
	for _, d := range to.deliveries() {
		if !eventID.MatchString(d.id) {
			t.Errorf("webhook-id %q of %s", d.id, d.event)
		}
		if other, ok := first[d.id]; ok {
			t.Errorf("webhook-id %s of both\n%s\n%s", d.id, other.body, d.body)
		}
		first[d.id] = d
	}
	if len(first) == 0 {
		t.Error("nothing was delivered")
	}
}

// TestIdentities has the mirror's keys elsewhere than in a primary key named id: where nothing of a key is sent the
// bodies are those of the same case on Blue's own schema.
func TestIdentities(t *testing.T) {
	t.Parallel()
	playIdentities(t, snakeCase)
}

func playIdentities(t *testing.T, in layout) {
	t.Helper()
	s := newStageOf(t, setting{layout: in, alter: `
		ALTER TABLE todos REPLICA IDENTITY FULL;
		ALTER TABLE tags ALTER uid SET NOT NULL, REPLICA IDENTITY USING INDEX tags_uid_key;
		ALTER TABLE todo_users DROP id, ADD PRIMARY KEY (todo_id, user_id);`})
	for _, name := range []string{"nothing_timestamps", "todo_done_status_updated", "todo_due_date", "todo_moved",
		"todo_name_changed", "todo_several_changes", "todo_key_changed", "todo_toast_unchanged", "tag", "todo_tags",
		"todo_tag_deleted"} {
		t.Run(name, func(t *testing.T) { s.play(t, filepath.Join(eventCases, name+".sql")) })
	}
	s.playAll(t, identityCases)
	s.stop(t)
	wantIDs(t, s.to)
	wantRecords(t, s)
	wantNoLog(t, s, "mirror and stream diverge")
}

// TestAlteredTables alters tables while the daemon runs: no alteration is an event, and what changes after it is told
// with the values that were there.
func TestAlteredTables(t *testing.T) {
	t.Parallel()
	s := newStage(t, "")
	s.playAll(t, alteredCases)
	s.stop(t)
	wantIDs(t, s.to)
	wantRecords(t, s)
}

func wantNoLog(t *testing.T, s *stage, message string) {
	t.Helper()
	for _, line := range s.daemon.log() {
		if strings.Contains(line, message) {
			t.Errorf("logged: %s", line)
		}
	}
}
