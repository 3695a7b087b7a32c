//go:build unix

package demo

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bluetap/mapping"
)

// TestDayHasAllEvents also holds that the last step fires something: what comes too much is looked for after what it
// fires.
func TestDayHasAllEvents(t *testing.T) {
	t.Parallel()
	var fired []string
	for _, s := range day {
		fired = append(fired, s.want...)
		if line := s.at + " " + s.caption; len(line) > 80 {
			t.Errorf("%q takes more than a terminal's line", line)
		}
	}
	for _, event := range mapping.EventTypes() {
		if !slices.Contains(fired, event) {
			t.Errorf("no step fires %s", event)
		}
	}
	for _, event := range fired {
		if !slices.Contains(mapping.EventTypes(), event) {
			t.Errorf("a step is to fire %s, which is not one of Blue's", event)
		}
	}
	if len(day[len(day)-1].want) == 0 {
		t.Error("the last step fires nothing")
	}
	if !slices.IsSortedFunc(day, func(a, b step) int { return strings.Compare(a.at, b.at) }) {
		t.Error("the day goes back in time")
	}
}

const (
	secret = "a secret"
	body   = `{"event":"TAG_DELETED","previousValue":{"id":"t","title":"urgent"},"currentValue":null}`
)

// signed returns the headers of a delivery of body, made here by the two specifications.
func signed(at time.Time) http.Header {
	mac := func(text string) []byte {
		m := hmac.New(sha256.New, []byte(secret))
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	seconds := strconv.FormatInt(at.Unix(), 10)
	h := http.Header{}
	h.Set("X-Signature", hex.EncodeToString(mac(body)))
	h.Set("webhook-id", "evt_1")
	h.Set("webhook-timestamp", seconds)
	h.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac("evt_1."+seconds+"."+body)))
	h.Set("bluetap-event", "TAG_DELETED")
	h.Set("bluetap-committed-at", at.Add(-1500*time.Microsecond).Format(time.RFC3339Nano))
	return h
}

func TestVerifier(t *testing.T) {
	t.Parallel()
	v, err := newVerifier(secret)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	good := v.read(signed(now), []byte(body), now)
	if good.fault != nil || good.id != "evt_1" || good.subject != "urgent" || good.took != 1500*time.Microsecond {
		t.Errorf("read %+v", good)
	}
	for name, spoil := range map[string]func(h http.Header) (sent string){
		"another body":          func(http.Header) string { return body + " " },
		"no X-Signature":        func(h http.Header) string { h.Del("X-Signature"); return body },
		"another X-Signature":   func(h http.Header) string { h.Set("X-Signature", strings.Repeat("0", 64)); return body },
		"no webhook-signature":  func(h http.Header) string { h.Del("webhook-signature"); return body },
		"another webhook-id":    func(h http.Header) string { h.Set("webhook-id", "evt_2"); return body },
		"an old timestamp":      func(h http.Header) string { h.Set("webhook-timestamp", "1000000000"); return body },
		"another bluetap-event": func(h http.Header) string { h.Set("bluetap-event", "TAG_CREATED"); return body },
		"no committed-at":       func(h http.Header) string { h.Del("bluetap-committed-at"); return body },
	} {
		h := signed(now)
		sent := spoil(h)
		if a := v.read(h, []byte(sent), now); a.fault == nil {
			t.Errorf("%s: no fault", name)
		}
	}
}

// TestReceiverIgnores holds that a request which nobody takes any more is answered: the daemon's end waits for that.
func TestReceiverIgnores(t *testing.T) {
	t.Parallel()
	r, err := newReceiver(secret)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		response, err := http.Post(r.url, "application/json", strings.NewReader(body))
		if err == nil {
			err = response.Body.Close()
		}
		answered <- err
	}()
	r.ignore()
	if err := errors.Join(<-answered, r.close()); err != nil {
		t.Error(err)
	}
}

// TestLanding has arrivals of all kinds, each judged by what is due, and wants the demo to fail as it should.
func TestLanding(t *testing.T) {
	t.Parallel()
	steps := []step{{want: []string{"TAG_CREATED", "TAG_DELETED"}}}
	created, deleted := arrival{id: "1", event: "TAG_CREATED"}, arrival{id: "2", event: "TAG_DELETED"}
	forged := arrival{id: "2", event: "TAG_DELETED", fault: errors.New("X-Signature does not match")}
	for _, test := range []struct {
		name    string
		arrived []arrival
		want    string // of the error
		shown   []string
	}{
		{"all", []arrival{created, deleted}, "", []string{"2 of 2 events, 2 deliveries, all verified"}},
		{"one twice", []arrival{created, created, deleted}, "", []string{"2 of 2 events, 2 deliveries, all verified"}},
		{"one missing", []arrival{created}, "missing: TAG_DELETED (1 of 1)",
			[]string{"1 of 2 events, 1 deliveries, not as it should be"}},
		{"one forged", []arrival{created, forged},
			"missing: TAG_DELETED (1 of 1)\nwrong: TAG_DELETED: X-Signature does not match",
			[]string{"✗ X-Signature does not match", "1 of 2 events, 1 deliveries, not as it should be"}},
		{"one too many", []arrival{created, deleted, {id: "3", event: "TAG_CREATED"}}, "wrong: TAG_CREATED: not expected",
			[]string{"✗ not expected", "2 of 2 events, 2 deliveries, not as it should be"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			d := &demo{screen: &screen{out: &out}, tally: newTally(steps)}
			due := slices.Clone(steps[0].want)
			for _, a := range test.arrived {
				d.land(a, d.dueOf(&due))
			}
			d.screen.table(d.tally)
			if got := fmt.Sprint(d.tally.err()); got != test.want && (test.want != "" || d.tally.err() != nil) {
				t.Errorf("error %q, want %q", got, test.want)
			}
			for _, text := range test.shown {
				if !strings.Contains(out.String(), text) {
					t.Errorf("%q is not shown:\n%s", text, out.String())
				}
			}
		})
	}
}

func TestSaidAs(t *testing.T) {
	t.Parallel()
	err := saidAs("run", []string{`{"level":"INFO"}`, "bluetap: it broke", "next: mend it"})
	if err.Error() != "bluetap run failed: it broke" {
		t.Errorf("error %q", err)
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	ten := []time.Duration{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for _, test := range []struct {
		sorted  []time.Duration
		p, want float64
	}{{ten, 50, 5}, {ten, 99, 10}, {ten[:1], 50, 1}, {ten[:1], 99, 1}, {nil, 50, 0}} {
		if got := percentile(test.sorted, test.p); float64(got) != test.want {
			t.Errorf("percentile %v of %d is %v, want %v", test.p, len(test.sorted), got, test.want)
		}
	}
}

func TestPadded(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "    ", "abc": "abc ", "abcde": "abc…", "a\nb\x1b": "a b ", "éé": "éé  ",
	} {
		if got := padded(text, 4); got != want {
			t.Errorf("padded(%q) is %q, want %q", text, got, want)
		}
	}
}
