package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"bluetap/internal/jsjson/nodetest"
	"bluetap/internal/racetest"
)

// encodingRows is how many random rows each encoding has.
const encodingRows = 4000

// TestUnknownEncoding has a database that holds bytes of no known encoding, in texts, documents, arrays, ids and the
// names of columns: bodies are UTF-8, with U+FFFD where TextDecoder has it, before and after a restart.
func TestUnknownEncoding(t *testing.T) {
	racetest.SkipOneByOne(t)
	table := tagTable(100, []column{
		{name: "na\xefve", field: "na\uFFFDve", sqlType: "text", kind: asText, random: brokenText},
		{name: "na\xf6ve", field: "-", sqlType: "text", kind: asText, random: brokenText},
		{name: "\xff_\xe9t\xe9", field: "\uFFFD\uFFFDt\uFFFD", sqlType: "json", kind: asJSON, random: brokenDocument},
		{name: "jb", sqlType: "jsonb", kind: asJSON, random: brokenDocument},
		{name: "txs", sqlType: "text[]", kind: arrayOf(asText), random: arrays(',', brokenText)},
		{name: "vc", sqlType: "varchar", kind: asText, random: brokenText},
		{name: "by", sqlType: "bytea", kind: asBytes, random: byteas},
	})
	table.title.random = brokenText
	table.id = func(n int) string { return string([]byte{byte(0x80 + n%0x80), 0xc3, byte(n%0x7f + 1)}) }
	v := newValues(t, "SQL_ASCII", "", []valueTable{table})
	v.play(t, encodingRows, "", true)
}

// TestOtherEncodings holds that the values, and the names, of a database in another encoding arrive in UTF-8.
func TestOtherEncodings(t *testing.T) {
	racetest.SkipOneByOne(t)
	t.Parallel()
	for _, tt := range []struct {
		encoding, name string
		characters     []string
	}{
		{"LATIN1", "größe_ñ", []string{"é", "ÿ", "\u0085", "\u00a0", "×", "plain", `"`, `\`, "\n"}},
		{"EUC_JP", "漢字_かな", []string{"漢", "あ", "ｱ", "日本語", "plain", `"`, `\`, "\n"}},
	} {
		t.Run(tt.encoding, func(t *testing.T) {
			text := func(r *rand.Rand) string {
				var b strings.Builder
				for range r.IntN(8) {
					b.WriteString(pick(r, tt.characters...))
				}
				return b.String()
			}
			document := func(r *rand.Rand) string {
				return `{"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`, "\n", `\n`).Replace(text(r)) + `" : 1.0}`
			}
			first, second, _ := strings.Cut(tt.name, "_")
			second = strings.ToUpper(second)
			table := tagTable(100, []column{
				{name: tt.name, field: first + second, sqlType: "text", kind: asText, random: text},
				{name: "j", sqlType: "json", kind: asJSON, random: document},
				{name: "jb", sqlType: "jsonb", kind: asJSON, random: document},
				{name: "txs", sqlType: "text[]", kind: arrayOf(asText), random: arrays(',', text)},
			})
			table.title.random = text
			table.id = func(n int) string { return tt.characters[n%3] }
			newValues(t, tt.encoding, "", []valueTable{table}).play(t, encodingRows, "", true)
		})
	}
}

// TestIDsOfUnknownEncoding has rows whose keys differ only in what U+FFFD stands for in payloads: they are different
// records, whose events have ids of their own. The name of the key's column is no UTF-8 either.
func TestIDsOfUnknownEncoding(t *testing.T) {
	racetest.SkipOneByOne(t)
	t.Parallel()
	v := newValues(t, "SQL_ASCII", "", []valueTable{tagTable(100, nil)})
	v.exec(t, "DELETE FROM tags; ALTER TABLE tags DROP CONSTRAINT tags_pkey CASCADE, ADD \"k\xe9y\" text PRIMARY KEY")
	to := receive(t)
	i := install(t, v.pg.URL("postgres"), "delivery: {allowedNetworks: [127.0.0.0/8]}",
		webhookYAML{id: "ids", url: to.URL})
	insert := func(id string) string {
		return fmt.Sprintf("INSERT INTO tags (id, \"k\xe9y\", title, project_id) VALUES ('%s', '%[1]s', 'new', 'web');", id)
	}
	keys := []string{"k\xff", "k\xfe", "k\xef\xbf\xbd", "k\x80"}
	v.exec(t, insert(keys[0]))
	p := i.start(t)
	v.exec(t, "BEGIN;"+insert(keys[1])+insert(keys[2])+insert(keys[3])+"COMMIT")
	to.waitFor(t, "three tags", nth(3))
	if code := p.stop(); code != 0 {
		t.Fatalf("exit code %d after SIGTERM, want 0", code)
	}
	i.start(t)
	for n, key := range keys {
		v.exec(t, fmt.Sprintf("UPDATE tags SET title = '%d' WHERE id = '%s'", n, key))
	}
	v.exec(t, "DELETE FROM tags WHERE id LIKE 'k%'")
	got := to.waitFor(t, "all of four tags", nth(3+4+4))
	wantIDs(t, to)
	var bodies [][]byte
	for _, d := range got {
		bodies = append(bodies, []byte(d.body))
	}
	told := nodetest.Map(t, `b => {
		const {event, previousValue: p, currentValue: c} = JSON.parse(text(b));
		return [event, p?.id, p?.title, c?.id, c?.title].join();
	}`, bodies)
	counted := map[string]int{}
	for _, line := range told {
		counted[string(line)]++
	}
	if n := counted["TAG_CREATED,,,k\uFFFD,new"]; n != 3 {
		t.Errorf("%d creations", n)
	}
	for n := range keys {
		for _, want := range []string{"TAG_UPDATED,k\uFFFD,new,k\uFFFD,%d", "TAG_DELETED,k\uFFFD,%d,,"} {
			if want = fmt.Sprintf(want, n); counted[want] != 1 {
				t.Errorf("%s: %d times, of %q", want, counted[want], told)
			}
		}
	}
}

// nth finds the n-th delivery.
func nth(n int) func(delivery) bool {
	return func(delivery) bool { n--; return n == 0 }
}

// brokenText is text among which bytes stand that are no UTF-8.
func brokenText(r *rand.Rand) string {
	s := anyText(r)
	for range r.IntN(4) {
		at := r.IntN(len(s) + 1)
		b := pick[byte](r, 0x80, 0xc0, 0xc3, 0xe2, 0xed, 0xf0, 0xf4, 0xff, 0x80+byte(r.IntN(0x80)))
		s = s[:at] + string([]byte{b}) + s[at:]
	}
	return s
}

// brokenDocument is JSON but for its bytes.
func brokenDocument(r *rand.Rand) string {
	quote := func() string {
		var b strings.Builder
		for _, c := range []byte(brokenText(r)) {
			if c < ' ' || c == '"' || c == '\\' {
				fmt.Fprintf(&b, `\u%04x`, c)
			} else {
				b.WriteByte(c)
			}
		}
		return `"` + b.String() + `"`
	}
	return fmt.Sprintf(`{%s: [%s, 1.0], "7": %s, %s:9007199254740993}`, quote(), quote(), quote(), quote())
}
