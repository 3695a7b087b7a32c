package mapping

// fieldChanged holds for a custom field of which a column beyond timestamps changed, or one of whose options
// appeared, changed or disappeared.
func fieldChanged(s states, c change) ([]firing, error) {
	if c.entity == CustomFieldOption && c.reshaped("customFieldId") {
		return nil, nil
	}
	var fired []firing
	for _, id := range fieldIDs(c) {
		a, err := s.answered(memoKey{CustomField, id, ""}, func() (answer, error) { return s.fieldOrOptionsChanged(id) })
		if err != nil {
			return nil, err
		}
		if a.by(c) {
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

// fieldOrOptionsChanged answers for a field. Its own row speaks if it changed, else its first changed option. A field
// whose key changed was deleted and created.
func (s states) fieldOrOptionsChanged(id string) (answer, error) {
	before, err := s.before.byID(CustomField, id)
	if err != nil {
		return answer{}, err
	}
	after, err := s.after.byID(CustomField, id)
	if err != nil || before.live() == nil || after.live() == nil || before.key != after.key {
		return answer{}, err
	}
	fires := differs(before, after, timestamps)
	if !sameRow(before, after) {
		if !fires {
			_, fires, err = s.optionsChanged(id)
		}
		return answer{fires: fires, speaker: CustomField, key: after.key}, err
	}
	key, fires, err := s.optionsChanged(id)
	return answer{fires: fires, speaker: CustomFieldOption, key: key}, err
}

// optionsChanged tells whether a field's options differ beyond timestamps, and of those that changed the first. Left
// out are those of which one state does not know whose they are.
func (s states) optionsChanged(field string) (first string, differ bool, err error) {
	const via = "customFieldId"
	found := false
	for v, err := range s.versions(CustomFieldOption, via, field, false) {
		if err != nil {
			return "", false, err
		}
		unknown, err := s.unknownOwner(v, CustomFieldOption, via)
		if err != nil {
			return "", false, err
		}
		if unknown {
			continue
		}
		if !found {
			first, found = v.key, true
		}
		if v.before == nil || v.after == nil || differs(v.before, v.after, timestamps) {
			return first, true, nil
		}
	}
	return first, false, nil
}

// unknownOwner tells whether a row belongs to its owner in one state alone only because in the other the table has
// another column for via.
func (s states) unknownOwner(v version, e Entity, via string) (bool, error) {
	other := s.before
	if v.before != nil {
		other = s.after
	}
	if v.before != nil && v.after != nil {
		return false, nil
	}
	now, err := other.byKey(e, v.key)
	return now != nil && now.cell(via).kind == cellAbsent, err
}
