package config

import (
	"regexp"
	"strconv"
)

// Bytes is an amount of disk or memory. In the file it is a whole number with a unit: 10GiB.
type Bytes int64

// byteUnits are the units of a Bytes, the largest first.
var byteUnits = []struct {
	name string
	size Bytes
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// String prints b in the largest unit that gives a whole number: 10GiB, 1536MiB, 12B.
func (b Bytes) String() string {
	for _, u := range byteUnits {
		if b >= u.size && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B"
}

// MarshalYAML implements yaml.Marshaler with String.
func (b Bytes) MarshalYAML() (any, error) { return b.String(), nil }

// mostBytes bounds every size, so that a percentage of one cannot overflow.
const mostBytes Bytes = 1 << 50

var byteSize = regexp.MustCompile(`^([0-9]{1,16}) ?([KMGT]iB)$`)

// bytes reads a size of at least least.
func (v value) bytes(into *Bytes, least Bytes) {
	s, ok := v.scalar()
	if !ok {
		return
	}
	parts := byteSize.FindStringSubmatch(s.text)
	if parts == nil {
		v.fault("must be a size such as 500MiB or 10GiB")
		return
	}
	n, _ := strconv.ParseInt(parts[1], 10, 64) // 16 digits at most
	for _, u := range byteUnits {
		if u.name != parts[2] {
			continue
		}
		if size := Bytes(n) * u.size; Bytes(n) <= mostBytes/u.size && size >= least {
			*into = size
			return
		}
	}
	v.fault("must be a size from %s to %s", least, mostBytes)
}
