package mapping

import (
	"bytes"
	"slices"
)

// Relations are compared by pair and not by row, because Blue replaces a set by deleting and inserting it again. A
// pair may touch several rows; so that a transaction of any size needs no memory of what it has told already, each
// question is answered by one row alone, the one with the smallest key of those that the answer rests on.

// pairAdded holds for a row of a relation (owner, other) that is there only after.
func pairAdded(owner, other string) condition {
	return func(s states, c change) ([]firing, error) {
		return pairOnlyIn(s.after, s.before, c.after, owner, other)
	}
}

// pairRemoved holds for a row of a relation (owner, other) that was there only before.
func pairRemoved(owner, other string) condition {
	return func(s states, c change) ([]firing, error) {
		return pairOnlyIn(s.before, s.after, c.before, owner, other)
	}
}

// pairOnlyIn tells whether row's pair is in one state and not in the other, with row as the one to say so.
func pairOnlyIn(one, other state, row *Row, owner, opposite string) ([]firing, error) {
	if row == nil {
		return nil, nil
	}
	ownerID, ok := row.text(owner)
	oppositeID, ok2 := row.text(opposite)
	if !ok || !ok2 {
		return nil, nil
	}
	here, err := withField(one, row.shape.entity, owner, ownerID, opposite, oppositeID)
	if err != nil {
		return nil, err
	}
	there, err := withField(other, row.shape.entity, owner, ownerID, opposite, oppositeID)
	if err != nil || len(there) > 0 || len(here) == 0 || here[0].key != row.key {
		return nil, err
	}
	return []firing{{subject: ownerID, pair: oppositeID}}, nil
}

// withField returns the live rows of an entity of one owner whose field has the value, in key order.
func withField(s state, e Entity, owner, ownerID, field, want string) ([]*Row, error) {
	rows, err := s.children(e, owner, ownerID)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(r *Row) bool {
		have, ok := r.text(field)
		return !ok || have != want
	}), nil
}

// fieldValue is a todo's value in a custom field: its row and the ids of the options chosen.
type fieldValue struct {
	row     *Row
	chosen  []string
	options []*Row
}

// fieldValueChanged holds for a pair (todo, custom field) whose value rows with their options differ beyond ids and
// timestamps.
func fieldValueChanged(s states, c change) ([]firing, error) {
	var fired []firing
	for _, side := range []struct {
		row *Row
		in  state
	}{{c.before, s.before}, {c.after, s.after}} {
		f, ok, err := fieldPair(side.in, side.row)
		if err != nil {
			return nil, err
		}
		if !ok || slices.Contains(fired, f) {
			continue
		}
		fires, err := fieldPairChanged(s, f, c)
		if err != nil {
			return nil, err
		}
		if fires {
			fired = append(fired, f)
		}
	}
	return fired, nil
}

// fieldPair returns the pair that a value row, or an option chosen in one, belongs to.
func fieldPair(s state, row *Row) (firing, bool, error) {
	if row != nil && row.shape.entity == TodoCustomFieldOption {
		var err error
		if row, err = s.parent(row, TodoCustomField, "todoCustomFieldId"); err != nil {
			return firing{}, false, err
		}
	}
	if row == nil {
		return firing{}, false, nil
	}
	todo, ok := row.text("todoId")
	field, ok2 := row.text("customFieldId")
	return firing{subject: todo, pair: field}, ok && ok2, nil
}

func fieldPairChanged(s states, f firing, c change) (bool, error) {
	before, err := fieldValues(s.before, f)
	if err != nil {
		return false, err
	}
	after, err := fieldValues(s.after, f)
	if err != nil {
		return false, err
	}
	if !answers(c, before, after) {
		return false, nil
	}
	return !slices.EqualFunc(before, after, func(a, b fieldValue) bool {
		return !differs(a.row, b.row, identity) && slices.Equal(a.chosen, b.chosen)
	}), nil
}

// fieldValues returns the values of a pair; more than one only if the schema lets a todo have several in one field.
func fieldValues(s state, f firing) ([]fieldValue, error) {
	rows, err := withField(s, TodoCustomField, "todoId", f.subject, "customFieldId", f.pair)
	if err != nil {
		return nil, err
	}
	values := make([]fieldValue, 0, len(rows))
	for _, row := range rows {
		v := fieldValue{row: row}
		if v.options, err = s.children(TodoCustomFieldOption, "todoCustomFieldId", row.id()); err != nil {
			return nil, err
		}
		for _, option := range v.options {
			id, _ := option.text("customFieldOptionId")
			v.chosen = append(v.chosen, id)
		}
		slices.Sort(v.chosen)
		values = append(values, v)
	}
	return values, nil
}

// answers tells whether the changed row c is the one to speak for a pair: the first changed value row, or if none
// changed the first changed option.
func answers(c change, before, after []fieldValue) bool {
	var beforeRows, afterRows, beforeOptions, afterOptions []*Row
	for _, v := range before {
		beforeRows, beforeOptions = append(beforeRows, v.row), append(beforeOptions, v.options...)
	}
	for _, v := range after {
		afterRows, afterOptions = append(afterRows, v.row), append(afterOptions, v.options...)
	}
	first, any := firstChanged(beforeRows, afterRows)
	entity := TodoCustomField
	if !any {
		first, any = firstChanged(beforeOptions, afterOptions)
		entity = TodoCustomFieldOption
	}
	return any && c.entity == entity && c.key == first
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

// fieldChanged holds for a custom field of which a column beyond timestamps changed, or one of whose options
// appeared, changed or disappeared.
func fieldChanged(s states, c change) ([]firing, error) {
	var fired []firing
	for _, id := range fieldIDs(c) {
		fires, err := fieldOrOptionsChanged(s, id, c)
		if err != nil {
			return nil, err
		}
		if fires {
			fired = append(fired, firing{subject: id})
		}
	}
	return fired, nil
}

// fieldIDs returns the custom fields that a changed field or option speaks of.
func fieldIDs(c change) []string {
	var ids []string
	for _, row := range []*Row{c.before, c.after} {
		if row == nil {
			continue
		}
		id := row.id()
		if c.entity == CustomFieldOption {
			id, _ = row.text("customFieldId")
		}
		ids = appendNew(ids, id)
	}
	return ids
}

func fieldOrOptionsChanged(s states, id string, c change) (bool, error) {
	before, err := s.before.byID(CustomField, id)
	if err != nil {
		return false, err
	}
	after, err := s.after.byID(CustomField, id)
	if err != nil || before.live() == nil || after.live() == nil {
		return false, err
	}
	optionsBefore, err := s.before.children(CustomFieldOption, "customFieldId", id)
	if err != nil {
		return false, err
	}
	optionsAfter, err := s.after.children(CustomFieldOption, "customFieldId", id)
	if err != nil {
		return false, err
	}
	if sameRow(before, after) {
		first, any := firstChanged(optionsBefore, optionsAfter)
		if !any || c.entity != CustomFieldOption || c.key != first {
			return false, nil
		}
	} else if c.entity != CustomField {
		return false, nil
	}
	return differs(before, after, timestamps) || !slices.EqualFunc(optionsBefore, optionsAfter, func(a, b *Row) bool {
		return a.key == b.key && !differs(a, b, timestamps)
	}), nil
}
