//go:build unix

package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

func message(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case byte:
			b = append(b, p)
		case rune:
			b = append(b, byte(p))
		case string:
			b = append(b, p...)
		case uint16:
			b = binary.BigEndian.AppendUint16(b, p)
		case uint32:
			b = binary.BigEndian.AppendUint32(b, p)
		case LSN:
			b = binary.BigEndian.AppendUint64(b, uint64(p))
		}
	}
	return b
}

var pair = &Relation{OID: 7, Name: "pair", Columns: []Column{{Name: "a", Key: true}, {Name: "b"}}}

// TestDecodeFaults holds that a message that does not fit is an error and never a row.
func TestDecodeFaults(t *testing.T) {
	row := message('I', uint32(7), 'N', uint16(2), 't', uint32(1), "x", 'u')
	if c, err := decodeChange(pair, row); err != nil || row2string(c.New) != "x|unchanged" {
		t.Fatalf("%+v, %v", c, err)
	}
	for name, msg := range map[string][]byte{
		"empty":            {},
		"more columns":     message('I', uint32(7), 'N', uint16(3), 'n', 'n', 'n'),
		"fewer columns":    message('D', uint32(7), 'K', uint16(1), 'n'),
		"binary":           message('I', uint32(7), 'N', uint16(2), 'b', uint32(1), "x", 'n'),
		"negative length":  message('I', uint32(7), 'N', uint16(2), 't', uint32(0xFFFFFFFF), "x", 'n'),
		"insert of old":    message('I', uint32(7), 'K', uint16(2), 'n', 'n'),
		"delete of new":    message('D', uint32(7), 'N', uint16(2), 'n', 'n'),
		"update, only old": message('U', uint32(7), 'O', uint16(2), 'n', 'n'),
		"update, two old":  message('U', uint32(7), 'O', uint16(2), 'n', 'n', 'O', uint16(2), 'n', 'n'),
		"insert, two new":  message('I', uint32(7), 'N', uint16(2), 'n', 'n', 'N', uint16(2), 'n', 'n'),
		"longer insert":    append(bytes.Clone(row), 0),
		"longer update":    message('U', uint32(7), 'N', uint16(2), 'n', 'n', "more"),
		"longer delete":    message('D', uint32(7), 'K', uint16(2), 'n', 'n', 'n'),
		"longer truncate":  message('T', uint32(7)),
	} {
		if c, err := decodeChange(pair, msg); err == nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
	for n := range row {
		if c, err := decodeChange(pair, row[:n]); err == nil {
			t.Errorf("cut to %d bytes: %+v", n, c)
		}
	}
}

func row2string(values []Value) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = [...]string{"null", "unchanged", string(v.Text)}[v.State]
	}
	return strings.Join(parts, "|")
}

// TestDecodeRelation reads a description of pg_catalog, whose name is sent empty, and every cut of it.
func TestDecodeRelation(t *testing.T) {
	msg := message('R', uint32(9), "\x00t\x00", 'd', uint16(2), byte(1), "a\x00", uint32(23), uint32(0),
		byte(0), "b\x00", uint32(25), uint32(0))
	rel, err := decodeRelation(msg)
	want := []Column{{Name: "a", Type: Type{OID: 23}, Key: true}, {Name: "b", Type: Type{OID: 25}}}
	if err != nil || rel.OID != 9 || rel.Schema != "pg_catalog" || rel.Name != "t" || !slices.Equal(rel.Columns, want) {
		t.Errorf("%+v, %v", rel, err)
	}
	for n := 1; n < len(msg); n++ {
		if rel, err := decodeRelation(msg[:n]); err == nil {
			t.Errorf("cut to %d bytes: %+v", n, rel)
		}
	}
	if rel, err := decodeRelation(append(msg, 0)); !errors.Is(err, errLongMessage) {
		t.Errorf("a byte longer: %+v, %v", rel, err)
	}
}

// fill adds n rows of two relations to a log, which goes to disk half-way, and returns their texts.
func fill(t *testing.T, log *changeLog, n int, other *Relation) []string {
	t.Helper()
	var texts []string
	for i := range n {
		text := strings.Repeat("z", i%500)
		msg, rel := message('I', uint32(7), 'N', uint16(2), 't', uint32(len(text)), text, 'n'), pair
		if i%3 == 0 {
			msg, rel = message('I', uint32(8), 'N', uint16(1), 't', uint32(len(text)), text), other
		}
		if err := log.add(rel, msg); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
		if i == n/2 {
			if err := log.spill(t.TempDir()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := log.seal(); err != nil {
		t.Fatal(err)
	}
	return texts
}

// TestChangeLogKeepsOrder holds that what goes in comes out, and a file that was cut is told.
func TestChangeLogKeepsOrder(t *testing.T) {
	var log changeLog
	other := &Relation{Columns: pair.Columns[:1]}
	want := fill(t, &log, 3000, other)
	var got []string
	for c, err := range log.all() {
		if err != nil || (c.Relation == other) != (len(got)%3 == 0) {
			t.Fatalf("change %d: %v, %v", len(got), c.Relation, err)
		}
		got = append(got, string(c.New[0].Text))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d changes, want %d, or other ones", len(got), len(want))
	}
	if err := log.spilled.f.Truncate(100); err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range log.all() {
		last = err
	}
	if last == nil {
		t.Error("a cut file reads without an error")
	}
	if err := errors.Join(log.close(), log.close()); err != nil {
		t.Error(err)
	}
}

// TestRemoveSpills holds that only our own leftovers are removed.
func TestRemoveSpills(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"bluetap-spill-1", "mine"} {
		writeFile(t, dir, name)
	}
	if err := removeSpills(dir); err != nil {
		t.Fatal(err)
	}
	if left := names(t, dir); !slices.Equal(left, []string{"mine"}) {
		t.Errorf("left: %v", left)
	}
}

// FuzzCopyText writes a row as COPY does and reads it back, however the bytes are cut.
func FuzzCopyText(f *testing.F) {
	f.Add("a\tb\\\n\r", `\N`, 3)
	f.Add("", "\b\f\v\x00", 1)
	escape := strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\b", `\b`, "\f", `\f`, "\v", `\v`)
	f.Fuzz(func(t *testing.T, a, b string, cut int) {
		line := escape.Replace(a) + "\t\\N\t" + escape.Replace(b) + "\n"
		var got []string
		p := newCopyParser(3, func(values []Value) error {
			got = append(got, string(values[0].Text), string(values[2].Text))
			if values[0].State != Text || values[1].State != Null || values[2].State != Text {
				t.Fatalf("states of %+v", values)
			}
			return nil
		})
		cut = min(max(cut, 0), len(line))
		for _, part := range []string{line[:cut], line[cut:], line} {
			if _, err := p.Write([]byte(part)); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, []string{a, b, a, b}) {
			t.Fatalf("%q, want %q twice", got, []string{a, b})
		}
	})
}

// TestCopyTextColumns holds that a row of another width is an error.
func TestCopyTextColumns(t *testing.T) {
	for _, line := range []string{"a\n", "a\tb\tc\n", "\n"} {
		p := newCopyParser(2, func([]Value) error { return nil })
		if _, err := p.Write([]byte(line)); err == nil {
			t.Errorf("%q: no error", line)
		}
	}
}
