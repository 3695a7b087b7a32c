package mapping

import (
	"fmt"
	"slices"
)

// Blue's short form tells of a todo as a record: that it came, went, or changed in itself, its assignees, its tags or
// its custom fields. A change is one event per todo and transaction, however many rows it touched; of these the first
// by entity and key is the one that answers.

// short tells whether the event has Blue's short form.
func (e *Event) short() bool {
	return slices.ContainsFunc(recordRules, func(r rule) bool { return r.event == e.Type })
}

// recordChanged holds for a todo of which a column beyond timestamps, the assignees, the tags or a field value changed.
func recordChanged(s states, c change) ([]firing, error) {
	if c.entity == Todo && c.before != nil && c.after != nil && c.before.id() != c.after.id() {
		return []firing{{subject: c.after.id()}}, nil // known by its key, and by no relation any more
	}
	var fired []firing
	for _, side := range []side{{c.before, s.before}, {c.after, s.after}} {
		todo, err := todoOf(side)
		if err != nil {
			return nil, err
		}
		if f := (firing{subject: todo}); todo != "" && !slices.Contains(fired, f) {
			a, err := s.answered(memoKey{entity: Todo, subject: todo}, func() (answer, error) {
				return s.todoOrRelationsChanged(todo)
			})
			if err != nil {
				return nil, err
			}
			if a.by(c) {
				fired = append(fired, f)
			}
		}
	}
	return fired, nil
}

// todoOf returns the id of the todo that a row of the record is, or belongs to; "" if there is none.
func todoOf(at side) (string, error) {
	if at.row == nil {
		return "", nil
	}
	switch at.row.shape.entity {
	case Todo:
		return at.row.id(), nil
	case TodoCustomField, TodoCustomFieldOption:
		f, _, err := fieldPair(at.state, at.row)
		return f.subject, err
	}
	todo, _ := at.row.text("todoId")
	return todo, nil
}

// todoOrRelationsChanged answers for a todo. Its own row speaks if it is among the changes, else the first changed row
// of a relation. A todo whose key changed was deleted and created.
func (s states) todoOrRelationsChanged(todo string) (answer, error) {
	before, err := s.before.byID(Todo, todo)
	if err != nil {
		return answer{}, err
	}
	after, err := s.after.byID(Todo, todo)
	if err != nil || before.live() == nil || after.live() == nil || before.key != after.key {
		return answer{}, err
	}
	a := answer{fires: differs(before, after, timestamps)}
	if !sameRow(before, after) {
		a.speaker, a.key = Todo, after.key
	}
	for _, relation := range []struct {
		touched bool // else nothing can have changed
		ask     func(todo string) (answer, error)
	}{
		{s.touches(TodoUser), s.assigneesChanged},
		{s.touches(TodoTag), s.tagsChanged},
		{s.touches(TodoCustomField) || s.touches(TodoCustomFieldOption), s.valuesChanged},
	} {
		if !relation.touched || a.fires && a.speaker != 0 {
			continue
		}
		b, err := relation.ask(todo)
		if err != nil {
			return answer{}, err
		}
		a.fires = a.fires || b.fires
		if a.speaker == 0 && b.fires {
			a.speaker, a.key = b.speaker, b.key
		}
	}
	return a, nil
}

func (s states) assigneesChanged(todo string) (answer, error) {
	return s.pairsChanged(assignees, TodoUser, todo)
}
func (s states) tagsChanged(todo string) (answer, error) {
	return s.pairsChanged(tagged, TodoTag, todo)
}

// pairsChanged tells whether an owner has a pair on one side only, and of the rows that say so the first.
func (s states) pairsChanged(r relation, e Entity, owner string) (answer, error) {
	p, err := s.pairsOf(r, e, owner)
	if err != nil {
		return answer{}, err
	}
	if p.many {
		return s.first(r, e, owner, false, func(other string, h *holders) (answer, error) {
			return s.pairChanged(r, e, h.pairs(other))
		})
	}
	return s.pairChanged(r, e, p)
}

// pairChanged is pairsChanged of the pairs that are held.
func (s states) pairChanged(r relation, e Entity, p *pairs) (answer, error) {
	var a answer
	for _, sides := range [][2]map[string]string{{p.before, p.after}, {p.after, p.before}} {
		here, there := sides[0], sides[1]
		for other, key := range here {
			if _, stays := there[other]; stays || a.fires && a.key <= key {
				continue
			}
			reshaped, err := s.reshaped(e, key, r.via, r.opposite)
			if err != nil {
				return answer{}, err
			}
			if !reshaped {
				a = answer{fires: true, speaker: e, key: key}
			}
		}
	}
	return a, nil
}

// valuesChanged tells whether a todo's value in some custom field changed, and of the rows that say so the first.
func (s states) valuesChanged(todo string) (answer, error) {
	v, err := s.valuesOf(todo)
	if err != nil {
		return answer{}, err
	}
	options := s.touches(TodoCustomFieldOption)
	if v.many {
		return s.first(fieldValues, TodoCustomField, todo, options, func(_ string, h *holders) (answer, error) {
			a, err := s.manyValuesChanged(h)
			if err != nil || !a.fires {
				return answer{}, err
			}
			return s.unlessReshaped(a)
		})
	}
	var first answer
	for _, side := range []map[string][]*Row{v.before, v.after} {
		for field := range side {
			if !options && slices.EqualFunc(v.before[field], v.after[field], sameRow) {
				continue
			}
			a, err := s.fieldAnswer(firing{subject: todo, pair: field})
			if err != nil {
				return answer{}, err
			}
			if !a.fires || first.fires && !a.before(first) {
				continue
			}
			if a, err = s.unlessReshaped(a); err != nil {
				return answer{}, err
			}
			if a.fires {
				first = a
			}
		}
	}
	return first, nil
}

// unlessReshaped returns the answer about a value, or none if the row that gives it cannot be compared.
func (s states) unlessReshaped(a answer) (answer, error) {
	reshaped, err := s.reshaped(a.speaker, a.key, "todoId", "customFieldId", "todoCustomFieldId")
	if err != nil || reshaped {
		return answer{}, err
	}
	return a, nil
}

// before orders answers by who gives them.
func (a answer) before(b answer) bool {
	return a.speaker < b.speaker || a.speaker == b.speaker && a.key < b.key
}

// reshaped is change.reshaped of the row with this key.
func (s states) reshaped(e Entity, key string, fields ...string) (bool, error) {
	before, err := s.before.byKey(e, key)
	if err != nil {
		return false, err
	}
	after, err := s.after.byKey(e, key)
	return change{before: before, after: after}.reshaped(fields...), err
}

// appendShort appends the short form's members but the event: the todo as it is, or last was; the ids of its company
// and project; and of a creation its creator, as the log does not say who changed or deleted it.
func (e *Event) appendShort(dst []byte) ([]byte, error) {
	at := e.sides()[0]
	dst, err := at.state.appendValue(append(dst, `"record":`...), at.row, place{})
	if err != nil {
		return nil, fmt.Errorf("compose record of %s: %w", e.Type, err)
	}
	holder, project, err := at.state.projectOf(at.row)
	if err != nil {
		return nil, fmt.Errorf("find project of %s: %w", e.Type, err)
	}
	var creator *Row
	if e.previous == nil {
		creator = e.current
	}
	dst = project.appendID(append(dst, `,"company":`...), "companyId")
	dst = holder.appendID(append(dst, `,"project":`...), "projectId")
	return creator.appendID(append(dst, `,"user":`...), "createdById"), nil
}

// appendID appends {"id":…} of the row that field via refers to; null without a row or a value that may be sent.
func (r *Row) appendID(dst []byte, via string) []byte {
	if r != nil {
		if i, ok := r.shape.index[via]; ok && r.shape.sent[i] && r.cells[i].kind == cellText {
			return append(r.appendCell(append(dst, `{"id":`...), i), '}')
		}
	}
	return append(dst, "null"...)
}
