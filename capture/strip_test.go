//go:build unix

package capture

import (
	"bytes"
	"testing"
)

// TestStrip holds that of every tuple of a message the unwanted values go, and nothing else of it.
func TestStrip(t *testing.T) {
	unwanted := []bool{false, true}
	for _, c := range []struct {
		name      string
		msg, want []byte
	}{
		{"insert", message('I', uint32(7), 'N', uint16(2), 't', uint32(1), "x", 't', uint32(6), "secret"),
			message('I', uint32(7), 'N', uint16(2), 't', uint32(1), "x", 'n')},
		{"update with its old row",
			message('U', uint32(7), 'O', uint16(2), 'n', 't', uint32(3), "old", 'N', uint16(2), 't', uint32(1), "x", 'u'),
			message('U', uint32(7), 'O', uint16(2), 'n', 'n', 'N', uint16(2), 't', uint32(1), "x", 'n')},
		{"delete", message('D', uint32(7), 'K', uint16(2), 't', uint32(1), "x", 'n'),
			message('D', uint32(7), 'K', uint16(2), 't', uint32(1), "x", 'n')},
	} {
		got, err := strip(nil, c.msg, unwanted)
		if err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
		for n := 6; n < len(c.msg); n++ {
			if cut, err := strip(nil, c.msg[:n], unwanted); err == nil {
				if _, err := decodeChange(pair, cut); err == nil {
					t.Errorf("%s: cut to %d bytes it is %q", c.name, n, cut)
				}
			}
		}
	}
	for name, msg := range map[string][]byte{
		"more columns": message('I', uint32(7), 'N', uint16(3), 'n', 'n', 'n'),
		"binary":       message('I', uint32(7), 'N', uint16(2), 'n', 'b', uint32(1), "x"),
	} {
		if got, err := strip(nil, msg, unwanted); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}
