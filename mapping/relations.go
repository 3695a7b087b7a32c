package mapping

import "bytes"

// Relations are compared by pair and not by row, because Blue replaces a set by deleting and inserting it again. A
// pair may touch several rows; so that a transaction of any size needs no memory of what it has told already, each
// question is answered by one row alone, the one with the smallest key of those that the answer rests on.

// relation is a table whose rows are pairs of an owner and another.
type relation struct {
	owner    Entity
	via      string // the field that names the owner
	opposite string // the field that names the other
}

// pairAdded holds for a row of a relation whose pair is there only after, and whose owner is there on both sides.
func pairAdded(r relation) condition {
	return func(s states, c change) ([]firing, error) {
		return r.only(s, c, c.after, func(p *pairs) (here, there map[string]string) { return p.after, p.before })
	}
}

// pairRemoved holds for a row of a relation whose pair was there only before, and whose owner is there on both sides.
func pairRemoved(r relation) condition {
	return func(s states, c change) ([]firing, error) {
		return r.only(s, c, c.before, func(p *pairs) (here, there map[string]string) { return p.before, p.after })
	}
}

// only tells whether row's pair is here and not there, with row as the one to say so.
func (r relation) only(s states, c change, row *Row, sides func(p *pairs) (here, there map[string]string),
) ([]firing, error) {
	if row == nil || c.reshaped(r.via, r.opposite) {
		return nil, nil
	}
	owner, ok := row.text(r.via)
	other, ok2 := row.text(r.opposite)
	if !ok || !ok2 {
		return nil, nil
	}
	p, err := s.pairsOf(r, row.shape.entity, owner)
	if err != nil || !p.owned {
		return nil, err
	}
	f := firing{subject: owner, pair: other}
	if p.many {
		h, err := s.window.holders(r, row.shape.entity, f)
		if err != nil {
			return nil, err
		}
		p = h.pairs(other)
	}
	here, there := sides(p)
	if _, stays := there[other]; stays || here[other] != row.key {
		return nil, nil
	}
	return []firing{f}, nil
}

// pairs are the one pair that h holds.
func (h *holders) pairs(other string) *pairs {
	p := &pairs{owned: true, before: map[string]string{}, after: map[string]string{}}
	if len(h.before) > 0 {
		p.before[other] = h.before[0]
	}
	if len(h.after) > 0 {
		p.after[other] = h.after[0]
	}
	return p
}

// pairsOf returns an owner's pairs in both states, unless they are many. They are not read for an owner that comes or
// goes: what comes and goes with it is told by its own event.
func (s states) pairsOf(r relation, e Entity, owner string) (*pairs, error) {
	key := memoKey{entity: e, subject: owner}
	if p, ok := s.memo.pairs[key]; ok {
		return p, nil
	}
	p := &pairs{}
	var err error
	if p.owned, err = s.onBothSides(r.owner, owner); err != nil {
		return nil, err
	}
	if p.owned {
		before, after, few, err := s.few(r, e, owner)
		if err != nil {
			return nil, err
		}
		p.many, p.before, p.after = !few, r.pairsOf(before), r.pairsOf(after)
	}
	s.memo.take(memoEntry * (1 + len(p.before) + len(p.after)))
	s.memo.pairs[key] = p
	return p, nil
}

// few returns an owner's rows in both states; false if they are too many to be held.
func (s states) few(r relation, e Entity, owner string) (before, after []*Row, few bool, err error) {
	if before, few, err = s.before.few(s.most, e, r.via, owner); err == nil && few {
		after, few, err = s.after.few(s.most, e, r.via, owner)
	}
	if err != nil || !few {
		return nil, nil, false, err
	}
	return before, after, true, nil
}

func (r relation) pairsOf(rows []*Row) map[string]string {
	pairs := make(map[string]string, len(rows))
	for _, row := range rows { // in key order
		if other, ok := row.text(r.opposite); ok {
			if _, known := pairs[other]; !known {
				pairs[other] = row.key
			}
		}
	}
	return pairs
}

// onBothSides tells whether an entity's row is there, and not soft-deleted, in both states. One whose key changed went
// and came.
func (s states) onBothSides(e Entity, id string) (bool, error) {
	before, err := s.before.byID(e, id)
	if err != nil || before.live() == nil {
		return false, err
	}
	after, err := s.after.byID(e, id)
	return after.live() != nil && after.key == before.key, err
}

// firstChanged returns the smallest key whose row is not the same in both lists.
func firstChanged(before, after []*Row) (string, bool) {
	sides := map[string][2]*Row{}
	for _, r := range before {
		sides[r.key] = [2]*Row{r, nil}
	}
	for _, r := range after {
		sides[r.key] = [2]*Row{sides[r.key][0], r}
	}
	first, found := "", false
	for key, s := range sides {
		if !sameRow(s[0], s[1]) && (!found || key < first) {
			first, found = key, true
		}
	}
	return first, found
}

// sameRow tells whether two versions of a row are the same to the byte, which is what makes a row part of a net
// change or not.
func sameRow(a, b *Row) bool {
	return a != nil && b != nil && bytes.Equal(encodeRow(a.shape, a.cells), encodeRow(b.shape, b.cells))
}
