package mapping

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"

	"bluetap/internal/store"
)

// An owner may have a million rows. What is asked about all of them is answered while they are gone through by key,
// once in each state, and of those that are alike in both nothing is held.

// version is a row of an owner as it is in the two states; nil where it is not there, is soft-deleted or belongs to
// another.
type version struct {
	key           string
	before, after *Row
}

// each yields the live rows of an entity whose field via is id, by key.
func (s state) each(e Entity, via, id string) iter.Seq2[*Row, error] {
	children := s.raw(e, via, id)
	return func(yield func(*Row, error) bool) {
		for child, err := range children {
			var row *Row
			if err != nil {
				err = fmt.Errorf("read %s of %s: %w", e, via, err)
			} else {
				row, err = s.shapes.decode(child.Key, child.Value)
			}
			if err == nil && row.live() == nil {
				continue
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// raw is each before rows are decoded, soft-deleted ones with them.
func (s state) raw(e Entity, via, id string) iter.Seq2[store.Child, error] {
	if s.model.tables[e] == nil {
		return func(func(store.Child, error) bool) {}
	}
	return s.view.Children(indexOf(e, via), id)
}

// few returns the live rows of an entity whose field via is id, by key; false if they are more than that.
func (s state) few(n int, e Entity, via, id string) ([]*Row, bool, error) {
	var rows []*Row
	for row, err := range s.each(e, via, id) {
		if err != nil {
			return nil, false, err
		}
		if len(rows) == n {
			return nil, false, nil
		}
		rows = append(rows, row)
	}
	return rows, true, nil
}

// versions yields an owner's rows by key, with those that are the same in both states or without.
func (s states) versions(e Entity, via, owner string, alike bool) iter.Seq2[version, error] {
	return func(yield func(version, error) bool) {
		for two, err := range merged(s.before.raw(e, via, owner), s.after.raw(e, via, owner)) {
			if err == nil && !alike && two.alike() {
				continue
			}
			var v version
			if err == nil {
				v, err = s.version(two.before, two.after)
			}
			if err == nil && v.before == nil && v.after == nil {
				continue
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// children are a version that has not been decoded.
type children struct{ before, after *store.Child }

func (c children) alike() bool {
	return c.before != nil && c.after != nil && bytes.Equal(c.before.Value, c.after.Value)
}

// merged yields the rows of two sequences by key, and those of one key together.
func merged(before, after iter.Seq2[store.Child, error]) iter.Seq2[children, error] {
	return func(yield func(children, error) bool) {
		nextBefore, stopBefore := iter.Pull2(before)
		defer stopBefore()
		nextAfter, stopAfter := iter.Pull2(after)
		defer stopAfter()
		a, aErr, aMore := nextBefore()
		b, bErr, bMore := nextAfter()
		for aMore || bMore {
			if err := cmp.Or(aErr, bErr); err != nil {
				yield(children{}, err)
				return
			}
			var c children
			first, second := aMore && (!bMore || a.Key <= b.Key), bMore && (!aMore || b.Key <= a.Key)
			if first {
				c.before = new(a)
				a, aErr, aMore = nextBefore()
			}
			if second {
				c.after = new(b)
				b, bErr, bMore = nextAfter()
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

func (s states) version(before, after *store.Child) (v version, err error) {
	if before != nil {
		v.key = before.Key
		if v.before, err = s.before.shapes.decode(before.Key, before.Value); err != nil {
			return version{}, err
		}
	}
	if after != nil {
		v.key = after.Key
		if v.after, err = s.after.shapes.decode(after.Key, after.Value); err != nil {
			return version{}, err
		}
	}
	v.before, v.after = v.before.live(), v.after.live()
	return v, nil
}

// first returns of the answers to an owner's pairs the one that comes first. Pairs of which no row changed are asked
// only if alike; as many pairs are held at a time as a window has. Pairs come in the order of the first of their rows,
// so that later ones are not asked when an answer comes before that.
func (s states) first(r relation, e Entity, owner string, alike bool, ask func(pair string, h *holders) (answer, error),
) (answer, error) {
	var first answer
	asked := held{}
	pass := func() error {
		if err := s.read(asked, r, e, owner); err != nil {
			return err
		}
		for pair, h := range asked {
			a, err := ask(pair, h)
			if err != nil {
				return err
			}
			if a.fires && (!first.fires || a.before(first)) {
				first = a
			}
		}
		clear(asked)
		return nil
	}
	for v, err := range s.versions(e, r.via, owner, alike) {
		if err != nil {
			return answer{}, err
		}
		if len(asked) >= s.batch {
			if err := pass(); err != nil {
				return answer{}, err
			}
			if first.fires && first.before(answer{speaker: e, key: v.key}) {
				return first, nil
			}
		}
		asked.askOf(v.before, r)
		asked.askOf(v.after, r)
	}
	err := pass()
	return first, err
}
