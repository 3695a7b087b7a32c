package jsjson_test

import (
	"fmt"
	"strings"
	"testing"

	"bluetap/internal/jsjson"
)

func TestAppendString(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", `""`},
		{"plain", "hello", `"hello"`},
		{"quote and backslash", `a"b\c/`, `"a\"b\\c/"`},
		{"short escapes", "\b\t\n\f\r", `"\b\t\n\f\r"`},
		{"other controls", "\x00\x01\x0b\x1f", `"\u0000\u0001\u000b\u001f"`},
		{"DEL is raw", "\x7f", "\"\x7f\""},
		{"HTML is raw", "<>&'", `"<>&'"`},
		{"line separators are raw", "\u2028\u2029", "\"\u2028\u2029\""},
		{"byte order mark is raw", "\uFEFFa", "\"\uFEFFa\""},
		{"U+FFFD is raw", "\uFFFD", "\"\uFFFD\""},
		{"two to four bytes", "äß 漢字 😀", `"äß 漢字 😀"`},
		{"lowest and highest of each length", "\u0080\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff",
			"\"\u0080\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff\""},
		{"lone continuation", "a\x80b", `"a�b"`},
		{"truncated, one for the maximal subpart", "\xe2\x82", `"�"`},
		{"truncated before a plain byte", "\xf0\x9f\x98x", `"�x"`},
		{"truncated before a good sequence", "\xf0\x9fä", `"�ä"`},
		{"overlong", "\xc0\xaf\xe0\x80\xaf", `"�����"`},
		{"encoded surrogate", "\xed\xa0\x80", `"���"`},
		{"beyond U+10FFFF", "\xf4\x90\x80\x80", `"����"`},
		{"never in UTF-8", "\xfe\xff\xf5", `"���"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(jsjson.AppendString(nil, tt.in)); got != tt.want {
				t.Errorf("of a string: got %s, want %s", got, tt.want)
			}
			if got := string(jsjson.AppendString([]byte("x"), []byte(tt.in))); got != "x"+tt.want {
				t.Errorf("of bytes: got %s, want x%s", got, tt.want)
			}
		})
	}
}

func TestValid(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "",
		"naïve 😀":                 "naïve 😀",
		"na\xefve":                "na\uFFFDve",
		"\xed\xa0\x80":            "\uFFFD\uFFFD\uFFFD",
		"\xf0\x9f\x98":            "\uFFFD",
		"a\xe2\x82b\xff\xc3\xa9c": "a\uFFFDb\uFFFDéc",
	} {
		if got := jsjson.Valid(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// Eight bytes are looked at in one go: every byte must be noticed at every offset, whatever its neighbours are.
func TestAppendStringNoticesEveryByteAtEveryOffset(t *testing.T) {
	for c := range 0x80 {
		want := string(jsjson.AppendString(nil, string(rune(c))))
		want = want[1 : len(want)-1]
		for _, neighbour := range []string{"a", " ", "\x7f", "!", "#", "["} {
			for at := range 17 {
				before, after := strings.Repeat(neighbour, at), strings.Repeat(neighbour, 16-at)
				got := string(jsjson.AppendString(nil, before+string(rune(c))+after))
				if got != `"`+before+want+after+`"` {
					t.Fatalf("%#x among %q at %d: got %s", c, neighbour, at, got)
				}
			}
		}
	}
}

func BenchmarkAppendString(b *testing.B) {
	texts := map[string]string{
		"id":      "clb4qaopy0000vt24mlp28v03",
		"ascii":   strings.Repeat("The quick brown fox jumps over the lazy dog. ", 100),
		"html":    strings.Repeat(`<p class="x">Hello</p>`+"\n", 200),
		"german":  strings.Repeat("Über größere Flächen läuft die Füchsin. ", 100),
		"chinese": strings.Repeat("敏捷的棕色狐狸跳过懒狗。", 100),
	}
	for name, text := range texts {
		b.Run(fmt.Sprintf("%s-%d", name, len(text)), func(b *testing.B) {
			in, dst := []byte(text), make([]byte, 0, 2*len(text)+2)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				dst = jsjson.AppendString(dst[:0], in)
			}
		})
	}
}
