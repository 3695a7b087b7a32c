package value_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bluetap/capture"
	"bluetap/internal/jsjson"
	"bluetap/mapping/value"
)

// FuzzAppend holds that any text as any type, or as an array of it, gives JSON as JavaScript writes it, which says what
// the text says, and leaves alone what stands before it.
func FuzzAppend(f *testing.F) {
	for _, typ := range []capture.Type{
		boolean, bytea, int8, jsonb, float4, float8, timestamp, numeric, text,
		int4s, texts, boxes, jsonbs, byteas, timestamps,
	} {
		f.Add(typ.OID, typ.Elem, []byte(`{"a\"b",NULL,{1.50,2}}`))
		f.Add(typ.OID, typ.Elem, []byte("2022-12-01 11:23:09.241567+02:30 BC"))
		f.Add(typ.OID, typ.Elem, []byte(`t,f,\x00fF,\x0,-7,-0,9007199254740991,9007199254740992,1.50,-0.00,100,1e21,`+
			`16777217.25,NaN,NULL,"",[ 1.0 ],{"a": "\u00e9"},0044-03-15 23:59:59.9999-12,`+
			`12022-12-01 00:00:00+05:30:15,2022-02-30 00:00:00`))
	}
	f.Fuzz(func(t *testing.T, oid, elem uint32, in []byte) {
		const decoderDepth = 10_000 // encoding/json refuses more
		if len(in) >= decoderDepth {
			return
		}
		typ := capture.Type{OID: oid, Elem: elem}
		out := checkJSON(t, typ, in)
		switch {
		case elem == 0:
			checkScalar(t, oid, in, out)
			typ.Elem = oid
		case out[0] != '[':
			checkString(t, in, out)
		}
		if typ.Elem != 0 {
			checkArray(t, typ, in)
		}
	})
}

var longInteger = regexp.MustCompile(`\d{16}`)

// checkJSON returns what Append writes, which must not be another document when it is read and written again.
func checkJSON(t *testing.T, typ capture.Type, in []byte) []byte {
	t.Helper()
	out := value.Append([]byte("x:"), typ, in)
	before, out := out[:2], out[2:]
	if !json.Valid(out) || string(before) != "x:" {
		t.Fatalf("%+v: %q: %q is not JSON", typ, in, out)
	}
	// A double of 2^53 or more is printed as an integer, which in a document would be a string.
	again, err := jsjson.AppendDocument(nil, out)
	if err != nil || !bytes.Equal(again, out) && !longInteger.Match(out) {
		t.Fatalf("%+v: %q: %q becomes %q (%v)", typ, in, out, again, err)
	}
	return out
}

// checkScalar compares what was written with what the text means; what means nothing is the string of it.
func checkScalar(t *testing.T, oid uint32, in, out []byte) {
	t.Helper()
	meaning := meanings[oid]
	if meaning == nil {
		checkString(t, in, out)
		return
	}
	switch want, sure := meaning(string(in)); {
	case !sure:
	case want == "":
		checkString(t, in, out)
	case want != string(out):
		t.Fatalf("type %d: %q is written as %s, want %s", oid, in, out, want)
	}
}

// checkString holds that what was written is the text. How much of what is no UTF-8 is one U+FFFD, others test.
func checkString(t *testing.T, in, out []byte) {
	t.Helper()
	want := string(in)
	if !utf8.Valid(in) {
		want = jsjson.Valid(want)
	}
	var got string
	if err := json.Unmarshal(out, &got); err != nil || got != want {
		t.Fatalf("%q is written as %s (%v)", in, out, err)
	}
}

// checkArray makes arrays of the pieces of a text, as Postgres would write them, and holds that each piece is written
// as it is alone.
func checkArray(t *testing.T, typ capture.Type, in []byte) {
	t.Helper()
	quote := strings.NewReplacer(`"`, `\"`, `\`, `\\`)
	var elements, want []string
	for piece := range bytes.SplitSeq(in, []byte(",")) {
		if string(piece) == "NULL" {
			elements, want = append(elements, "NULL"), append(want, "null")
			continue
		}
		elements = append(elements, `"`+quote.Replace(string(piece))+`"`)
		out := checkJSON(t, capture.Type{OID: typ.Elem}, piece)
		checkScalar(t, typ.Elem, piece, out)
		want = append(want, string(out))
	}
	row, wantRow := "{"+strings.Join(elements, ",")+"}", "["+strings.Join(want, ",")+"]"
	for text, want := range map[string]string{
		row:                            wantRow,
		"[-1:0][3:9]={" + row + "}":    "[" + wantRow + "]",
		"{" + row + ",{}," + row + "}": "[" + wantRow + ",[]," + wantRow + "]",
	} {
		if got := string(checkJSON(t, typ, []byte(text))); got != want {
			t.Fatalf("%+v: %q is written as %s, want %s", typ, text, got, want)
		}
	}
}

// meanings say for a type's text what is to be written, in other words than the code does: "" for the string of the
// text, and false if anything may be, as Postgres has no such text.
var meanings = map[uint32]func(string) (string, bool){
	boolean.OID: func(s string) (string, bool) { return map[string]string{"t": "true", "f": "false"}[s], true },
	bytea.OID: func(s string) (string, bool) {
		b, err := hex.DecodeString(strings.TrimPrefix(s, `\x`))
		if err != nil || !strings.HasPrefix(s, `\x`) {
			return "", true
		}
		return `"` + base64.StdEncoding.EncodeToString(b) + `"`, true
	},
	int2.OID: integerMeaning, int4.OID: integerMeaning, int8.OID: integerMeaning,
	float4.OID: floatMeaning, float8.OID: floatMeaning,
	numeric.OID: func(s string) (string, bool) {
		if !decimal.MatchString(s) {
			return "", true
		}
		return `"` + strings.TrimRight(strings.TrimRight(s, "0"), ".") + `"`, true
	},
	timestamp.OID: timestampMeaning, timestamptz.OID: timestampMeaning,
	jsonText.OID: documentMeaning, jsonb.OID: documentMeaning,
}

var (
	integer = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	decimal = regexp.MustCompile(`^-?[0-9]+\.[0-9]+$`)
	float   = regexp.MustCompile(`^[-+.e0-9]*$`)
	stamp   = regexp.MustCompile(`^(\d{4,6})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?` +
		`(?:([-+])(\d\d)(?::(\d\d))?(?::(\d\d))?)?( BC)?$`)
)

func integerMeaning(s string) (string, bool) {
	n, ok := new(big.Int).SetString(s, 10)
	if !ok || !integer.MatchString(s) || n.BitLen() > 53 {
		return "", true
	}
	return n.String(), true
}

func floatMeaning(s string) (string, bool) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !float.MatchString(s) {
		return "", true
	}
	return string(jsjson.AppendNumber(nil, f)), true
}

func documentMeaning(s string) (string, bool) {
	out, err := jsjson.AppendDocument(nil, []byte(s))
	if err != nil {
		return "", true
	}
	return string(out), true
}

// timestampMeaning is sure of the times that there are, and of what does not look like one.
func timestampMeaning(s string) (string, bool) {
	m := stamp.FindStringSubmatch(s)
	if m == nil {
		return "", true
	}
	var n [12]int
	for i, digits := range m {
		n[i%len(n)], _ = strconv.Atoi(digits)
	}
	year := n[1]
	if m[12] != "" {
		year = 1 - year
	}
	at := time.Date(year, time.Month(n[2]), n[3], n[4], n[5], n[6], 0, time.UTC)
	const lastYear = 294_276
	if n[1] > lastYear || n[10] > 59 || n[11] > 59 || !at.Equal(at.Truncate(time.Second)) || at.Year() != year ||
		int(at.Month()) != n[2] || at.Day() != n[3] || at.Hour() != n[4] || at.Minute() != n[5] || at.Second() != n[6] {
		return "", false
	}
	east := time.Duration(n[9])*time.Hour + time.Duration(n[10])*time.Minute + time.Duration(n[11])*time.Second
	if m[8] == "-" {
		east = -east
	}
	at = at.Add(-east)
	shown := fmt.Sprintf("%04d", at.Year())
	if at.Year() < 0 || at.Year() > 9999 {
		shown = fmt.Sprintf("%+07d", at.Year())
	}
	return `"` + shown + at.Format("-01-02T15:04:05.") + (m[7] + "000")[:3] + `Z"`, true
}
