package jsjson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bluetap/internal/jsjson"
)

var documents = []struct{ name, in, want string }{
	{"literals", `[true,false,null]`, `[true,false,null]`},
	{"scalar", `"x"`, `"x"`},
	{"white space goes", " { \"a\" :\t[ 1 ,\r\n2 ] , \"b\": { } , \"c\" : [ ] } ", `{"a":[1,2],"b":{},"c":[]}`},
	{"white space in strings stays", `" a  b "`, `" a  b "`},
	{"numbers", `[1.0,-0,-0.0,1e3,1E+2,0.1e-6,1e21,-1.50]`, `[1,0,0,1000,100,1e-7,1e+21,-1.5]`},
	{"integers beyond a double", `[9007199254740991,9007199254740992,-9007199254740993]`,
		`[9007199254740991,"9007199254740992","-9007199254740993"]`},
	{"doubles by spelling", `[1e20,9007199254740993.0]`, `[100000000000000000000,9007199254740992]`},
	{"overflow", `[1e309,-1.5E999]`, `["1e309","-1.5E999"]`},
	{"underflow", `[1e-400,-1e-400]`, `[0,0]`},
	{"short escapes stay", `"\"\\\b\f\n\r\t"`, `"\"\\\b\f\n\r\t"`},
	{"escapes that need not be", `"\/\u0041\u00e9\u6f22\u2028\u007f\u003c"`, "\"/Aé漢\u2028\x7f<\""},
	{"escapes by number that have a short form", `"\u0008\u000A\u0022\u005C"`, `"\b\n\"\\"`},
	{"controls", `"\u0000\u001F"`, `"\u0000\u001f"`},
	{"surrogate pair", `"\uD83D\uDE00"`, `"😀"`},
	{"lone surrogates", `"\uD83D\uDABC x\uDE00\uDFFF\uD800"`, `"\ud83d\udabc x\ude00\udfff\ud800"`},
	{"low before high", `"\uDE00\uD83D\uD83D\uDE00"`, `"\ude00\ud83d😀"`},
	{"high before another escape", `"\uD83D\u0041\uD83D\n"`, `"\ud83dA\ud83d\n"`},
	{"invalid UTF-8", "[\"\xe2\x82\"]", `["�"]`},
	{"order of names stays", `{"b":1,"a":2,"C":3}`, `{"b":1,"a":2,"C":3}`},
	{"integer-like names first", `{"b":1,"10":2,"9":3,"a":4,"0":5}`, `{"0":5,"9":3,"10":2,"b":1,"a":4}`},
	{"escaped integer-like name", `{"b":1,"\u0031":2}`, `{"1":2,"b":1}`},
	{"integer-like among jsonb's order", `{"2":1,"a":2,"10":3,"bb":4}`, `{"2":1,"10":3,"a":2,"bb":4}`},
	{"highest array index", `{"a":1,"4294967295":2,"4294967294":3,"99999999999":4}`,
		`{"4294967294":3,"a":1,"4294967295":2,"99999999999":4}`},
	{"no array indexes", `{"01":1,"-1":2,"1.0":3,"":4," 1":5}`, `{"01":1,"-1":2,"1.0":3,"":4," 1":5}`},
	{"last duplicate in the first's place", `{"a":1,"b":2,"a":3}`, `{"a":3,"b":2}`},
	{"duplicates spelt otherwise", `{"a":1,"b":2,"\u0061":3,"b":4}`, `{"a":3,"b":4}`},
	{"duplicate lone surrogates", `{"\uD800":1,"\ud800":2}`, `{"\ud800":2}`},
	{"duplicate array index", `{"7":1,"b":2,"7":{"x":1}}`, `{"7":{"x":1},"b":2}`},
	{"__proto__", `{"a":1,"__proto__":{"b":1},"__proto__":2}`, `{"a":1,"__proto__":2}`},
	{"within each other", `{"b":{"y":1,"1":[{"z":1,"0":2,"z":3}]},"5":{"k":1,"k":2},"b":{"y":{"n":1,"2":0},"1":[]}}`,
		`{"5":{"k":2},"b":{"1":[],"y":{"2":0,"n":1}}}`},
	{"many names", `{"q":1,"p":2,"o":3,"n":4,"m":5,"l":6,"k":7,"j":8,"i":9,"h":1,"g":2,"f":3,"e":4,"d":5,"c":6,"b":7}`,
		`{"q":1,"p":2,"o":3,"n":4,"m":5,"l":6,"k":7,"j":8,"i":9,"h":1,"g":2,"f":3,"e":4,"d":5,"c":6,"b":7}`},
	{"many, one twice", `{"q":1,"p":2,"o":3,"n":4,"m":5,"l":6,"k":7,"j":8,"i":9,"h":1,"g":2,"f":3,"e":4,"q":7}`,
		`{"q":7,"p":2,"o":3,"n":4,"m":5,"l":6,"k":7,"j":8,"i":9,"h":1,"g":2,"f":3,"e":4}`},
}

func TestAppendDocument(t *testing.T) {
	for _, tt := range documents {
		t.Run(tt.name, func(t *testing.T) {
			got, err := jsjson.AppendDocument([]byte(`before:`), []byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != `before:`+tt.want {
				t.Errorf("got  %s\nwant before:%s", got, tt.want)
			}
		})
	}
}

func TestAppendDocumentRefuses(t *testing.T) {
	for _, in := range []string{
		``, ` `, `{`, `[`, `[1`, `[1,`, `[1,]`, `[,1]`, `[1 2]`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{a:1}`,
		`{"a" 1}`, `{1:2}`, `{]`, `[}`, `1 2`, `{}x`, `tru`, `True`, `nul`, `NaN`, `Infinity`, `-`, `+1`, `01`, `1.`, `.5`,
		`1e`, `1e+`, `0x1`, `1_0`, `"`, `"a`, `"\`, `"\"`, `"\u12"`, `"\u12G4"`, `"\x41"`, `'a'`, "\"\n\"", "\"\x00\"",
		"1\x00", "\uFEFF1", "\v1", "\"\\ud83d\\u\"",
	} {
		got, err := jsjson.AppendDocument([]byte("x"), []byte(in))
		if err == nil || string(got) != "x" {
			t.Errorf("%q: got %q and %v, want x and an error", in, got, err)
		}
	}
}

func TestAppendDocumentErrorsHoldNothingOfTheText(t *testing.T) {
	_, err := jsjson.AppendDocument(nil, []byte(`{"password": hunter2}`))
	if err == nil || strings.Contains(err.Error(), "hunter") || !strings.Contains(err.Error(), "offset 13") {
		t.Errorf("got %v", err)
	}
}

func TestAppendDocumentDeep(t *testing.T) {
	deep := func(levels int) []byte {
		return []byte(strings.Repeat(`[{"b":`, levels/2) + "1" + strings.Repeat(`,"0":2,"b":3}]`, levels/2))
	}
	got, err := jsjson.AppendDocument(nil, deep(100_000))
	if err != nil {
		t.Fatal(err)
	}
	if want := `[{"0":2,"b":3}]`; string(got) != want {
		t.Errorf("got %.40s, want %s", got, want)
	}
	if _, err := jsjson.AppendDocument(nil, deep(100_002)); err == nil {
		t.Error("no error beyond 100,000 levels")
	}
}

// Objects that have to be rewritten, each within another, must not make the time grow with depth × length.
func TestAppendDocumentRearrangesInLinearTime(t *testing.T) {
	const levels = 50_000
	leaf := `"` + strings.Repeat("x", 1<<20) + `"`
	in := strings.Repeat(`{"b":1,"0":`, levels) + leaf + strings.Repeat("}", levels)
	want := strings.Repeat(`{"0":`, levels) + leaf + strings.Repeat(`,"b":1}`, levels)
	var took [2]time.Duration // of the document that has to be rewritten, and of the one that has not
	for i, doc := range []string{in, want} {
		start := time.Now()
		got, err := jsjson.AppendDocument(nil, []byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Error("the result is not the document in JavaScript's order")
		}
		took[i] = time.Since(start)
	}
	// Copying 1 MiB at each of the levels would take thousands of times as long.
	if took[0] > 50*took[1] {
		t.Errorf("took %v, without an object to rewrite %v", took[0], took[1])
	}
}

var longInteger = regexp.MustCompile(`\d{16}`)

// FuzzAppendDocument holds that what encoding/json takes for JSON is taken and nothing else, and that what is written
// is JSON and is written the same way again.
func FuzzAppendDocument(f *testing.F) {
	for _, seed := range []string{
		`{"b":1,"10":[2,{"a":1,"a":2}],"9":"\ud83d\u0041"}`, `[1e400,-0,12345678901234567890,1.50]`, `"\"\\\/\u2028"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		const decoderDepth = 10_000 // encoding/json refuses more
		out, err := jsjson.AppendDocument(nil, doc)
		shallow := bytes.Count(doc, []byte("["))+bytes.Count(doc, []byte("{")) < decoderDepth
		if (err == nil) != json.Valid(doc) && shallow {
			t.Fatalf("%q: error %v, but valid is %t", doc, err, json.Valid(doc))
		}
		if err != nil {
			return
		}
		if shallow && !json.Valid(out) {
			t.Fatalf("%q: %q is not JSON", doc, out)
		}
		// A double of 2^53 or more, such as 1e20, is printed as an integer that would be a string another time.
		again, err := jsjson.AppendDocument(nil, out)
		if err != nil || !bytes.Equal(again, out) && !longInteger.Match(out) {
			t.Fatalf("%q: %q becomes %q (%v)", doc, out, again, err)
		}
		// Go reads what is no UTF-8, and half a surrogate, otherwise than JavaScript.
		if shallow && utf8.Valid(doc) && !halfSurrogate.Match(doc) {
			if want, got := meaning(t, doc, true), meaning(t, out, false); !reflect.DeepEqual(got, want) {
				t.Fatalf("%q: %q says %v, want %v", doc, out, got, want)
			}
		}
	})
}

var halfSurrogate = regexp.MustCompile(`\\u[dD]`)

// meaning is a document as Go has it, and of a source with numbers as they are to be written.
func meaning(t *testing.T, doc []byte, source bool) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return numbers(v, source)
}

func numbers(v any, source bool) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = numbers(e, source)
		}
	case []any:
		for i, e := range v {
			v[i] = numbers(e, source)
		}
	case json.Number:
		f, err := v.Float64()
		n, integer := new(big.Int).SetString(v.String(), 10)
		if source && (err != nil || integer && n.BitLen() > 53) {
			return v.String() // JavaScript would lose digits of it
		}
		return f
	}
	return v
}

func BenchmarkAppendDocument(b *testing.B) {
	object := func(format string) string {
		var s strings.Builder
		for i := range 50 {
			fmt.Fprintf(&s, format, i, i, i)
		}
		return "[" + s.String() + "0]"
	}
	docs := map[string]string{
		"jsonb":     object(`{"id": "clb4qaopy00%d", "done": false, "name": "A name %d", "x": 12.5, "title": "Title %d"}, `),
		"unordered": object(`{"title": "Title %d", "id": "clb4qaopy00%d", "name": "A name %d", "score": 12.5, "a": null}, `),
		"rearrange": object(`{"title": "Title %d", "1": "clb4qaopy00%d", "name": "A name %d", "name": 12.5, "a": null}, `),
		"text":      `{"text": "` + strings.Repeat("The quick brown fox jumps over the lazy dog. ", 100) + `"}`,
	}
	for name, doc := range docs {
		b.Run(name, func(b *testing.B) {
			in, dst := []byte(doc), make([]byte, 0, 2*len(doc))
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if dst, err = jsjson.AppendDocument(dst[:0], in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
