package mapping

import (
	"bytes"
	"cmp"
	"slices"
)

// fieldValue is a todo's value in a custom field: its row and the ids of the options chosen.
type fieldValue struct {
	row     *Row
	chosen  []string
	options []*Row
}

// fieldValueChanged holds for a pair (todo, custom field) whose value rows with their options differ beyond ids and
// timestamps.
func fieldValueChanged(s states, c change) ([]firing, error) {
	if c.reshaped("todoId", "customFieldId", "todoCustomFieldId") {
		return nil, nil
	}
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
		a, err := s.fieldAnswer(f)
		if err != nil {
			return nil, err
		}
		if a.by(c) {
			fired = append(fired, f)
		}
	}
	return fired, nil
}

// fieldAnswer answers for a pair, once.
func (s states) fieldAnswer(f firing) (answer, error) {
	return s.answered(memoKey{TodoCustomField, f.subject, f.pair}, func() (answer, error) {
		return s.fieldPairChanged(f)
	})
}

// answered returns what was found out before, or asks.
func (s states) answered(key memoKey, ask func() (answer, error)) (answer, error) {
	if a, ok := s.memo.answers[key]; ok {
		return a, nil
	}
	a, err := ask()
	if err != nil {
		return answer{}, err
	}
	s.memo.answer(key, a)
	return a, nil
}

// by tells whether the changed row is the one to give the answer, and the answer is an event.
func (a answer) by(c change) bool { return a.fires && a.speaker == c.entity && a.key == c.key }

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

// fieldPairChanged answers for a pair. Its first changed value row speaks, or if none changed its first changed option.
func (s states) fieldPairChanged(f firing) (answer, error) {
	v, err := s.valuesOf(f.subject)
	if err != nil || !v.owned {
		return answer{}, err
	}
	if !v.many {
		return s.valueChanged(v.before[f.pair], v.after[f.pair])
	}
	h, err := s.window.holders(fieldValues, TodoCustomField, f)
	if err != nil {
		return answer{}, err
	}
	return s.manyValuesChanged(h)
}

// manyValuesChanged is fieldPairChanged for a todo of whose values only the keys are held.
func (s states) manyValuesChanged(h *holders) (answer, error) {
	before, err := s.before.byKeys(TodoCustomField, h.before)
	if err != nil {
		return answer{}, err
	}
	after, err := s.after.byKeys(TodoCustomField, h.after)
	if err != nil {
		return answer{}, err
	}
	return s.valueChanged(before, after)
}

// valueChanged answers for the value rows of a pair.
func (s states) valueChanged(rowsBefore, rowsAfter []*Row) (answer, error) {
	before, err := s.before.withOptions(rowsBefore)
	if err != nil {
		return answer{}, err
	}
	after, err := s.after.withOptions(rowsAfter)
	if err != nil {
		return answer{}, err
	}
	a := answer{fires: !slices.EqualFunc(before, after, func(a, b fieldValue) bool {
		return !differs(a.row, b.row, identity) && slices.Equal(a.chosen, b.chosen)
	})}
	var found bool
	if a.key, found = firstChanged(rowsOf(before), rowsOf(after)); found {
		a.speaker = TodoCustomField
	} else if a.key, found = firstChanged(optionsOf(before), optionsOf(after)); found {
		a.speaker = TodoCustomFieldOption
	}
	return a, nil
}

// valuesOf returns a todo's value rows in both states, unless they are many. They are not read for a todo that comes
// or goes: what comes and goes with it is told by its own event.
func (s states) valuesOf(todo string) (*values, error) {
	if v, ok := s.memo.values[todo]; ok {
		return v, nil
	}
	v := &values{}
	var err error
	if v.owned, err = s.onBothSides(Todo, todo); err != nil {
		return nil, err
	}
	size := memoEntry
	if v.owned {
		before, after, few, err := s.few(fieldValues, TodoCustomField, todo)
		if err != nil {
			return nil, err
		}
		v.many, v.before, v.after = !few, byField(before), byField(after)
		for _, rows := range [][]*Row{before, after} {
			for _, row := range rows {
				size += row.size()
			}
		}
	}
	s.memo.take(size)
	s.memo.values[todo] = v
	return v, nil
}

func byField(rows []*Row) map[string][]*Row {
	fields := map[string][]*Row{}
	for _, row := range rows {
		if field, ok := row.text("customFieldId"); ok {
			fields[field] = append(fields[field], row)
		}
	}
	return fields
}

// withOptions returns the values of a pair, in an order that does not depend on their keys. More than one there is only
// if the schema lets a todo have several in one field.
func (s state) withOptions(rows []*Row) ([]fieldValue, error) {
	var values []fieldValue
	for _, row := range rows {
		v := fieldValue{row: row}
		var err error
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
	if len(values) > 1 {
		slices.SortStableFunc(values, func(a, b fieldValue) int {
			return cmp.Or(bytes.Compare(a.row.content(), b.row.content()), slices.Compare(a.chosen, b.chosen))
		})
	}
	return values, nil
}

// content is what a row says beyond its identity, for sorting.
func (r *Row) content() []byte {
	var b []byte
	for i, f := range r.shape.fields {
		if f.Sent && !identity[f.Name] {
			b = append(append(b, r.cells[i].kind), r.cells[i].text...)
		}
	}
	return b
}

func rowsOf(values []fieldValue) []*Row {
	var rows []*Row
	for _, v := range values {
		rows = append(rows, v.row)
	}
	return rows
}

func optionsOf(values []fieldValue) []*Row {
	var rows []*Row
	for _, v := range values {
		rows = append(rows, v.options...)
	}
	return rows
}
