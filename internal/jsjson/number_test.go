package jsjson_test

import (
	"math"
	"testing"

	"bluetap/internal/jsjson"
)

func TestAppendNumber(t *testing.T) {
	tests := []struct {
		in   float64
		want string
	}{
		{0, "0"},
		{math.Copysign(0, -1), "0"},
		{1, "1"},
		{-1.5, "-1.5"},
		{0.1, "0.1"},
		{0.30000000000000004, "0.30000000000000004"},
		{1e6, "1000000"},
		{1e-6, "0.000001"},
		{1.5e-6, "0.0000015"},
		{9.99e-7, "9.99e-7"},
		{1e-7, "1e-7"},
		{-1e-10, "-1e-10"},
		{1e20, "100000000000000000000"},
		{123456789012345680000, "123456789012345680000"},
		{999999999999999900000, "999999999999999900000"},
		{1e21, "1e+21"},
		{-1.25e21, "-1.25e+21"},
		{1e100, "1e+100"},
		{math.MaxFloat64, "1.7976931348623157e+308"},
		{math.SmallestNonzeroFloat64, "5e-324"},
		{9007199254740992, "9007199254740992"},
	}
	for _, tt := range tests {
		if got := string(jsjson.AppendNumber([]byte("x"), tt.in)); got != "x"+tt.want {
			t.Errorf("%g: got %s, want x%s", tt.in, got, tt.want)
		}
	}
}

func TestAppendInteger(t *testing.T) {
	tests := []struct {
		in, want string
		ok       bool
	}{
		{"0", "0", true},
		{"-0", "0", true},
		{"42", "42", true},
		{"-42", "-42", true},
		{"9007199254740991", "9007199254740991", true},
		{"-9007199254740991", "-9007199254740991", true},
		{"9007199254740992", `"9007199254740992"`, true},
		{"-9007199254740992", `"-9007199254740992"`, true},
		{"9223372036854775807", `"9223372036854775807"`, true},
		{"", "", false},
		{"-", "", false},
		{"+1", "", false},
		{"01", "", false},
		{"1.0", "", false},
		{"1e3", "", false},
		{"1 ", "", false},
		{"0x10", "", false},
	}
	for _, tt := range tests {
		got, ok := jsjson.AppendInteger([]byte("x"), []byte(tt.in))
		if ok != tt.ok || string(got) != "x"+tt.want {
			t.Errorf("%q: got %s and %t, want x%s and %t", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}
