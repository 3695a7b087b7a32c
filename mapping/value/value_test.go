package value_test

import (
	"encoding/json"
	"strings"
	"testing"

	"bluetap/capture"
	"bluetap/mapping/value"
)

// OIDs of pg_type.dat, as psql shows them.
var (
	boolean     = capture.Type{OID: 16}
	bytea       = capture.Type{OID: 17}
	int8        = capture.Type{OID: 20}
	int2        = capture.Type{OID: 21}
	int4        = capture.Type{OID: 23}
	text        = capture.Type{OID: 25}
	jsonText    = capture.Type{OID: 114}
	float4      = capture.Type{OID: 700}
	float8      = capture.Type{OID: 701}
	varchar     = capture.Type{OID: 1043}
	date        = capture.Type{OID: 1082}
	clock       = capture.Type{OID: 1083}
	timestamp   = capture.Type{OID: 1114}
	timestamptz = capture.Type{OID: 1184}
	interval    = capture.Type{OID: 1186}
	timetz      = capture.Type{OID: 1266}
	numeric     = capture.Type{OID: 1700}
	uuid        = capture.Type{OID: 2950}
	jsonb       = capture.Type{OID: 3802}
	enum        = capture.Type{OID: 16_400}
	highest     = capture.Type{OID: 1<<32 - 1}

	bools      = capture.Type{OID: 1000, Elem: 16}
	int4s      = capture.Type{OID: 1007, Elem: 23}
	int8s      = capture.Type{OID: 1016, Elem: 20}
	texts      = capture.Type{OID: 1009, Elem: 25}
	boxes      = capture.Type{OID: 1020, Elem: 603, Delimiter: ';'}
	int4ses    = capture.Type{OID: 16_401, Elem: 23, Inner: 1}
	boxeses    = capture.Type{OID: 16_402, Elem: 603, Inner: 2, Delimiter: ';'}
	numerics   = capture.Type{OID: 1231, Elem: 1700}
	timestamps = capture.Type{OID: 1185, Elem: 1184}
	jsonbs     = capture.Type{OID: 3807, Elem: 3802}
	byteas     = capture.Type{OID: 1001, Elem: 17}
)

var values = []struct {
	name string
	t    capture.Type
	in   string
	want string
}{
	{"bool", boolean, "t", `true`},
	{"bool", boolean, "f", `false`},
	{"int2", int2, "-32768", `-32768`},
	{"int4", int4, "2147483647", `2147483647`},
	{"int8", int8, "9007199254740991", `9007199254740991`},
	{"int8 negative", int8, "-9007199254740991", `-9007199254740991`},
	{"int8 unsafe", int8, "9007199254740992", `"9007199254740992"`},
	{"int8 unsafe negative", int8, "-9223372036854775808", `"-9223372036854775808"`},
	{"float4 is not widened", float4, "0.1", `0.1`},
	{"float4", float4, "1e+06", `1000000`},
	{"float4 greatest", float4, "3.4028235e+38", `3.4028235e+38`},
	{"float8", float8, "1e+15", `1000000000000000`},
	{"float8", float8, "0.30000000000000004", `0.30000000000000004`},
	{"float8 small", float8, "1e-05", `0.00001`},
	{"float8 smaller", float8, "1.5e-07", `1.5e-7`},
	{"float8 large", float8, "1e+20", `100000000000000000000`},
	{"float8 larger", float8, "1e+21", `1e+21`},
	{"float8 beyond safe integers", float8, "9.007199254740992e+15", `9007199254740992`},
	{"float8 zero", float8, "-0", `0`},
	{"float8 not a number", float8, "NaN", `"NaN"`},
	{"float8 infinite", float8, "Infinity", `"Infinity"`},
	{"float8 infinite", float8, "-Infinity", `"-Infinity"`},
	{"float4 infinite", float4, "-Infinity", `"-Infinity"`},
	{"numeric", numeric, "32767.50", `"32767.5"`},
	{"numeric whole", numeric, "1.000", `"1"`},
	{"numeric zero", numeric, "0.0", `"0"`},
	{"numeric without a point", numeric, "100", `"100"`},
	{"numeric zeros before the point", numeric, "100.00", `"100"`},
	{"numeric zeros within", numeric, "-100.0010", `"-100.001"`},
	{"numeric long", numeric, "12345678901234567890.123456789012345678900", `"12345678901234567890.1234567890123456789"`},
	{"numeric not a number", numeric, "NaN", `"NaN"`},
	{"numeric infinite", numeric, "Infinity", `"Infinity"`},
	{"numeric infinite", numeric, "-Infinity", `"-Infinity"`},
	{"date", date, "2022-12-01", `"2022-12-01"`},
	{"date BC", date, "0044-03-15 BC", `"0044-03-15 BC"`},
	{"time", clock, "11:23:09.241567", `"11:23:09.241567"`},
	{"timetz", timetz, "11:23:09.241567+00", `"11:23:09.241567+00"`},
	{"interval", interval, "P1Y2M3DT4H5M6.789S", `"P1Y2M3DT4H5M6.789S"`},
	{"json", jsonText, `{"b" : 1.0, "1": "\u0041" , "b":9007199254740993}`, `{"1":"A","b":"9007199254740993"}`},
	{"jsonb", jsonb, `{"a": [1, 2], "bb": null}`, `{"a":[1,2],"bb":null}`},
	{"bytea", bytea, `\x`, `""`},
	{"bytea one", bytea, `\xff`, `"/w=="`},
	{"bytea two", bytea, `\xfffe`, `"//4="`},
	{"bytea three", bytea, `\x616263`, `"YWJj"`},
	{"bytea in pieces", bytea, `\x` + strings.Repeat("616263", 999) + "61", `"` + strings.Repeat("YWJj", 999) + `YQ=="`},
	{"text", text, "a\"b\n<é>\u2028", "\"a\\\"b\\n<é>\u2028\""},
	{"text empty", text, "", `""`},
	{"text that looks like something else", text, "NULL", `"NULL"`},
	{"text of invalid UTF-8", text, "a\xe2\x82b", `"a�b"`},
	{"varchar", varchar, "x", `"x"`},
	{"uuid", uuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", `"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"`},
	{"enum", enum, "TODO_LIST", `"TODO_LIST"`},
	{"unknown type", highest, "{1,2}", `"{1,2}"`},
}

func TestAppend(t *testing.T) {
	for _, tt := range values {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(value.Append([]byte("x:"), tt.t, []byte(tt.in))); got != "x:"+tt.want {
				t.Errorf("%s: got %s, want x:%s", tt.in, got, tt.want)
			}
		})
	}
}

func TestAppendTimestamp(t *testing.T) {
	tests := []struct{ in, want string }{
		{"2022-12-01 11:23:09.241567+00", "2022-12-01T11:23:09.241Z"},
		{"2022-12-01 11:23:09", "2022-12-01T11:23:09.000Z"},
		{"2022-12-01 11:23:09.5+00", "2022-12-01T11:23:09.500Z"},
		{"2022-12-01 11:23:09.05", "2022-12-01T11:23:09.050Z"},
		{"2022-12-31 23:59:59.999999+00", "2022-12-31T23:59:59.999Z"}, // cut off, not rounded
		{"1969-12-31 23:59:59.9999+00", "1969-12-31T23:59:59.999Z"},
		{"0001-01-01 00:00:00", "0001-01-01T00:00:00.000Z"},
		{"9999-12-31 23:59:59", "9999-12-31T23:59:59.000Z"},
		{"10000-01-01 00:00:00", "+010000-01-01T00:00:00.000Z"},
		{"294276-12-31 23:59:59.999999", "+294276-12-31T23:59:59.999Z"},
		{"0001-12-31 00:00:00+00 BC", "0000-12-31T00:00:00.000Z"},
		{"0002-01-01 00:00:00 BC", "-000001-01-01T00:00:00.000Z"},
		{"0044-03-15 12:00:00.123456+00 BC", "-000043-03-15T12:00:00.123Z"},
		{"4714-11-24 00:00:00+00 BC", "-004713-11-24T00:00:00.000Z"},
		{"2022-12-01 11:23:09.241567+02", "2022-12-01T09:23:09.241Z"},
		{"2022-12-31 20:30:00-05:30", "2023-01-01T02:00:00.000Z"},
		{"1890-01-01 00:00:00+00:19:32", "1889-12-31T23:40:28.000Z"},
		{"1890-01-01 00:00:00-00:01:15", "1890-01-01T00:01:15.000Z"},
		{"0001-01-01 00:30:00+01", "0000-12-31T23:30:00.000Z"},
		{"9999-12-31 23:30:00-01", "+010000-01-01T00:30:00.000Z"},
		{"2024-02-28 23:30:00-01", "2024-02-29T00:30:00.000Z"},
		{"infinity", "infinity"},
		{"-infinity", "-infinity"},
	}
	for _, tt := range tests {
		for _, typ := range []capture.Type{timestamp, timestamptz} {
			if got := string(value.Append(nil, typ, []byte(tt.in))); got != `"`+tt.want+`"` {
				t.Errorf("%s: got %s, want %q", tt.in, got, tt.want)
			}
		}
	}
}

func TestAppendArray(t *testing.T) {
	tests := []struct {
		name string
		t    capture.Type
		in   string
		want string
	}{
		{"empty", int4s, `{}`, `[]`},
		{"numbers", int4s, `{1,-2,NULL}`, `[1,-2,null]`},
		{"unsafe numbers", int8s, `{9007199254740993,1}`, `["9007199254740993",1]`},
		{"bools", bools, `{t,f,NULL}`, `[true,false,null]`},
		{"numerics", numerics, `{1.50,NaN}`, `["1.5","NaN"]`},
		{"texts", texts, `{a,b c,é}`, `["a","b c","é"]`},
		{"quoted", texts, `{"","a,b","{c}"," d "}`, `["","a,b","{c}"," d "]`},
		{"escaped", texts, `{"a\"b","\\","\\\"x","c\\d"}`, `["a\"b","\\","\\\"x","c\\d"]`},
		{"NULL and its text", texts, `{NULL,"NULL","null"}`, `[null,"NULL","null"]`},
		{"dimensions", int4s, `{{1,2},{3,4}}`, `[[1,2],[3,4]]`},
		{"six dimensions", texts, `{{{{{{a}}}}}}`, `[[[[[["a"]]]]]]`},
		{"lower bound", int4s, `[0:1]={5,6}`, `[5,6]`},
		{"lower bounds", int4s, `[1:1][-2:-1]={{5,6}}`, `[[5,6]]`},
		{"boxes", boxes, `{(1,1),(0,0);(3,3),(2,2)}`, `["(1,1),(0,0)","(3,3),(2,2)"]`},
		{"arrays", int4ses, `{"{1,2}",NULL,"{}","[0:1]={3,NULL}"}`, `[[1,2],null,[],[3,null]]`},
		{"arrays of arrays", boxeses, `{"{\"{(1,1),(0,0);(3,3),(2,2)}\"}";"{}"}`, `[[["(1,1),(0,0)","(3,3),(2,2)"]],[]]`},
		{"no array within", int4ses, `{1,{2}}`, `["1",["2"]]`},
		{"timestamps", timestamps, `{"2022-12-01 11:23:09.241567+00",infinity}`, `["2022-12-01T11:23:09.241Z","infinity"]`},
		{"documents", jsonbs, `{"{\"a\": \"x\\\"y\"}",1,NULL,"null","[1, 2]"}`, `[{"a":"x\"y"},1,null,null,[1,2]]`},
		{"byteas", byteas, `{"\\x6162",NULL}`, `["YWI=",null]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(value.Append([]byte("x:"), tt.t, []byte(tt.in))); got != "x:"+tt.want {
				t.Errorf("%s: got %s, want x:%s", tt.in, got, tt.want)
			}
		})
	}
}

// What is no value of its type is a string of the text, whole.
func TestAppendWhatIsNoValueOfItsType(t *testing.T) {
	tests := []struct {
		t  capture.Type
		in []string
	}{
		{boolean, []string{"", "true", "T"}},
		{int4, []string{"", "1.5", "1e3", "+1", "007", "0x1", "1_000", " 1"}},
		{float8, []string{"", "inf", "0x1p-2", "1_0", "e", "1e400", "--1", "nan"}},
		{numeric, []string{"", ".", "1.", ".50", "1e10.0", "a.0", "1.0.0", "--1.0"}},
		{jsonb, []string{"", "{", "nul", "{1:2}", "[01]"}},
		{bytea, []string{"", "abc", `\`, `\x1`, `\xzz`, `\x` + strings.Repeat("00", 1000) + "0g"}},
		{timestamp, []string{
			"", "2022-12-01", "2022-13-01 00:00:00", "2022-12-01T11:23:09Z", "2022-12-01 11:23", "2022-12-01 24:00:00",
			"2022-12-01 11:23:09.", "2022-12-01 11:23:09+", "2022-12-01 11:23:09+0", "2022-12-01 11:23:09 AD",
			"294277-01-01 00:00:00", "22-12-01 11:23:09", "2022-12-01 11:23:09+00x",
		}},
		{int4s, []string{
			"", "1 2", "{", "}", "{1", "{1,", "{1,}", "{,1}", "{1}}", "{1}x", "{{1}", `{"1}`, `{"1\`, `{"1"x}`, `{x"1"}`,
			"[0:1]", "[0:1]{1}", "{{{{{{{1}}}}}}}", `{a\b}`, "{1;2}{",
		}},
	}
	for _, tt := range tests {
		for _, in := range tt.in {
			want, err := json.Marshal(in)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(value.Append([]byte("x:"), tt.t, []byte(in))); got != "x:"+string(want) {
				t.Errorf("type %d: %q: got %s, want x:%s", tt.t.OID, in, got, want)
			}
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, bb := range []struct {
		name string
		t    capture.Type
		in   string
	}{
		{"text", text, "clb4qaopy0000vt24mlp28v03"},
		{"timestamptz", timestamptz, "2022-12-01 11:23:09.241567+00"},
		{"numeric", numeric, "32767.50"},
		{"float8", float8, "65535.125"},
		{"texts", texts, `{red,"light blue",green}`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			in, dst := []byte(bb.in), make([]byte, 0, 256)
			b.ReportAllocs()
			for b.Loop() {
				dst = value.Append(dst[:0], bb.t, in)
			}
		})
	}
}
