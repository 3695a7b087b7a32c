package jsjson

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
)

// member is a member of an object as it was written: dst[start:colon] is its name, quotes included, and
// dst[start:end] the whole of it.
type member struct {
	start, colon, end int
	place             int    // where its name stood first; the order of members that are no array index
	index             uint32 // the array index that its name is, else noIndex; set by arrange
}

// noIndex is the first integer that is no array index any more; members of other names sort there, after all indexes.
const noIndex = 1<<32 - 1

func (m member) name(dst []byte) []byte { return dst[m.start:m.colon] }

// object is an object, written to dst[start:end], whose members belong in another order, or not all there.
type object struct {
	start, end int
	members    []member
}

// arrange returns the members of an object in JavaScript's order, or nil if that is how they stand already. It
// uses members as its scratch space.
func arrange(dst []byte, members []member) []member {
	if inOrder(dst, members) {
		return nil
	}
	slices.SortFunc(members, func(a, b member) int {
		return cmp.Or(bytes.Compare(a.name(dst), b.name(dst)), cmp.Compare(a.place, b.place))
	})
	last := 0
	for _, m := range members[1:] {
		if bytes.Equal(m.name(dst), members[last].name(dst)) {
			m.place = members[last].place
		} else {
			last++
		}
		members[last] = m
	}
	kept := members[:last+1]
	slices.SortFunc(kept, func(a, b member) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.place, b.place))
	})
	inPlace := func(a, b member) int { return cmp.Compare(a.place, b.place) }
	if len(kept) == len(members) && slices.IsSortedFunc(kept, inPlace) {
		return nil
	}
	return slices.Clone(kept)
}

// inOrder sets each member's index and says whether the members can stay as they are. Its answer is sure only when it
// is yes: that no two names are the same is seen at once from their order, if they have one as in jsonb (by length,
// then by bytes), and by comparing them all, if they are few.
func inOrder(dst []byte, members []member) bool {
	const few = 16
	indexes, names := true, true
	for i := range members {
		m := &members[i]
		m.index = arrayIndex(m.name(dst))
		if i > 0 {
			before := members[i-1]
			a, b := before.name(dst), m.name(dst)
			indexes = indexes && before.index <= m.index
			names = names && (len(a) < len(b) || len(a) == len(b) && bytes.Compare(a, b) < 0)
		}
	}
	return indexes && (names || len(members) <= few && distinct(dst, members))
}

// distinct says whether no two members have the same name.
func distinct(dst []byte, members []member) bool {
	for i, m := range members {
		for _, before := range members[:i] {
			if bytes.Equal(m.name(dst), before.name(dst)) {
				return false
			}
		}
	}
	return true
}

// arrayIndex returns the array index that a quoted name is, noIndex if it is none: an integer from 0 to 2^32−2 in its
// shortest spelling (ECMA-262, "array index").
func arrayIndex(name []byte) uint32 {
	digits := name[1 : len(name)-1]
	if len(digits) == 0 || len(digits) > len("4294967294") || digits[0] == '0' && len(digits) > 1 {
		return noIndex
	}
	index := uint64(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return noIndex
		}
		index = index*10 + uint64(c-'0')
	}
	return uint32(min(index, noIndex))
}

// rearrange rewrites dst[from:] with the members of the objects moved in their order. It copies every byte once,
// however deeply these objects lie within each other.
func rearrange(dst []byte, from int, moved []object) []byte {
	if len(moved) == 0 {
		return dst
	}
	slices.SortFunc(moved, func(a, b object) int { return cmp.Compare(a.start, b.start) })
	c := copier{src: slices.Clone(dst[from:]), from: from, dst: dst[:from], moved: moved}
	c.span(from, len(dst))
	return c.dst
}

// copier copies what lay in src, whose offsets start with from, to dst.
type copier struct {
	src   []byte
	from  int
	dst   []byte
	moved []object // by their start
}

func (c *copier) span(start, end int) {
	for {
		i := sort.Search(len(c.moved), func(i int) bool { return c.moved[i].start >= start })
		if i == len(c.moved) || c.moved[i].start >= end {
			break
		}
		c.raw(start, c.moved[i].start)
		c.object(c.moved[i])
		start = c.moved[i].end
	}
	c.raw(start, end)
}

func (c *copier) object(o object) {
	separator := byte('{')
	for _, m := range o.members {
		c.dst = append(c.dst, separator)
		c.span(m.start, m.end)
		separator = ','
	}
	c.dst = append(c.dst, '}')
}

func (c *copier) raw(start, end int) {
	c.dst = append(c.dst, c.src[start-c.from:end-c.from]...)
}
