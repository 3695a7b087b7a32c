//go:build unix

package soak

import (
	"hash/fnv"
	"slices"
	"strings"
)

// identities are what the last parts of ids stand for. By the page about formats that part follows from the event, its
// row and its pair alone, so that it is the same in each transaction.
type identities struct {
	epoch string
	parts map[uint64]string // by hash of what they stand for
	known map[string]uint64
}

func newIdentities() *identities {
	return &identities{parts: map[uint64]string{}, known: map[string]uint64{}}
}

func (d *due) identity(pair string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(d.name + "/" + d.id + "/" + pair))
	return h.Sum64()
}

// fit names what is wrong with the ids that an event came under, "" if nothing is. Which id is of which pair is known
// where only one is left.
func (i *identities) fit(d *due, ids []*arrival) string {
	var left []uint64
	for _, pair := range d.pairs {
		left = append(left, d.identity(pair))
	}
	var unknown []string
	for _, a := range ids {
		_, epoch, _ := strings.Cut(a.id, "_")
		epoch, _, _ = strings.Cut(epoch, "_")
		if i.epoch == "" {
			i.epoch = epoch
		}
		if i.epoch != epoch {
			return "has another epoch than those before"
		}
		part := a.id[strings.LastIndexByte(a.id, '_')+1:]
		is, known := i.known[part]
		if !known {
			unknown = append(unknown, part)
			continue
		}
		at := slices.Index(left, is)
		if at < 0 {
			return "ends as that of another event"
		}
		left = slices.Delete(left, at, at+1)
	}
	free := slices.DeleteFunc(left, func(is uint64) bool { return i.parts[is] != "" })
	if len(unknown) > len(free) {
		return "ends otherwise than before"
	}
	if len(unknown) == 1 && len(free) == 1 {
		i.parts[free[0]], i.known[unknown[0]] = unknown[0], free[0]
	}
	return ""
}
