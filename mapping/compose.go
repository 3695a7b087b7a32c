package mapping

// place is where in a value a row is being composed: from which entity and over which foreign key it was reached.
// The way back is left out, or an item would hold its checklist, which holds its items.
type place struct {
	from        Entity
	via         string
	scalarsOnly bool
}

// appendValue appends the row's full value as of the state: its fields in payload order, then the related rows.
func (s state) appendValue(dst []byte, r *Row, at place) ([]byte, error) {
	if r == nil {
		return append(dst, "null"...), nil
	}
	dst = append(dst, '{')
	start := len(dst)
	for i := range r.cells {
		if !r.shape.sent[i] || r.cells[i].kind == cellAbsent {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(dst, r.shape.names[i]...)
		dst = r.appendCell(dst, i)
	}
	if at.scalarsOnly {
		return append(dst, '}'), nil
	}
	var err error
	for _, n := range r.shape.entity.definition().nested {
		wayBack := n.entity == at.from && n.via == at.via
		if wayBack || !s.model.Has(n.entity) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), n.name...), '"', ':')
		if dst, err = s.appendNested(dst, r, n); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func (s state) appendNested(dst []byte, r *Row, n nested) ([]byte, error) {
	at := place{from: r.shape.entity, via: n.via, scalarsOnly: n.scalarsOnly}
	if !n.many {
		related, err := s.parent(r, n.entity, n.via)
		if err != nil {
			return nil, err
		}
		return s.appendValue(dst, related, at)
	}
	rows, err := s.children(n.entity, n.via, r.id())
	if err != nil {
		return nil, err
	}
	byPosition(rows)
	dst = append(dst, '[')
	for i, row := range rows {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = s.appendValue(dst, row, at); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}
