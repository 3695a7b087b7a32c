package mapping

import "bytes"

// asked is what webhooks have asked about one event. A thousand of them ask much the same, so that each thing is read
// once, and only when the first one asks.
type asked struct {
	event         *Event
	places        []scope
	placed        bool
	before, after *subject
	members       map[membership]bool
	uses          map[string]*use // what any expression reads of a variable
	built         map[string]any  // the variables that were read so far
}

// scope is a project that an event belongs to, with its company and the state in which it is known.
type scope struct {
	project, company string
	in               state
}

// scopes returns the projects of the event: that of the current value first, that of the previous one if it is another.
func (e *Event) scopes() ([]scope, error) {
	var scopes []scope
	for _, side := range e.sides() {
		project, company, err := side.state.project(side.row)
		if err != nil {
			return nil, err
		}
		if project == "" || len(scopes) > 0 && scopes[0].project == project && scopes[0].company == company {
			continue
		}
		scopes = append(scopes, scope{project, company, side.state})
	}
	return scopes, nil
}

func (a *asked) scopes() ([]scope, error) {
	if a.placed {
		return a.places, nil
	}
	var err error
	a.places, err = a.event.scopes()
	a.placed = err == nil
	return a.places, err
}

// current is what a filter is asked of unless it says otherwise: the record as it is, for a delete as it was.
func (a *asked) current() (*subject, error) {
	if a.event.current == nil {
		return a.asBefore()
	}
	return a.asAfter()
}

// asBefore is the event's record in the state before. What the event itself is about may not have been there: then
// it is the record that it came to.
func (a *asked) asBefore() (*subject, error) {
	var err error
	if a.before == nil {
		a.before, err = subjectOf(side{a.event.previous, a.event.before}, side{a.event.current, a.event.after})
	}
	return a.before, err
}

// asAfter is the event's record in the state after; of what is gone, the record that it belonged to.
func (a *asked) asAfter() (*subject, error) {
	var err error
	if a.after == nil {
		a.after, err = subjectOf(side{a.event.current, a.event.after}, side{a.event.previous, a.event.before})
	}
	return a.after, err
}

func subjectOf(here, there side) (*subject, error) {
	row, err := here.state.recordRow(here.row)
	if err != nil {
		return nil, err
	}
	if here.row == nil {
		other, err := there.state.recordRow(there.row)
		if err != nil {
			return nil, err
		}
		if other != nil {
			if row, err = here.state.byID(other.shape.entity, other.id()); err != nil {
				return nil, err
			}
			row = row.live()
		}
	}
	return &subject{state: here.state, row: row}, nil
}

// recordRow returns the row of the record that r belongs to: its todo, or r itself if it is a list. Nil for what has
// neither.
func (s state) recordRow(r *Row) (*Row, error) {
	for r != nil {
		next, ok := recordChain[r.shape.entity]
		if !ok {
			break
		}
		var err error
		if r, err = s.parent(r, next.entity, next.via); err != nil {
			return nil, err
		}
	}
	if r == nil || r.shape.entity != Todo && r.shape.entity != TodoList {
		return nil, nil
	}
	return r, nil
}

// subject is an event's record in one state, read as far as it was asked about.
type subject struct {
	state state
	row   *Row // nil: there is none in this state

	list                                 *Row
	users, tagged, tagRows, fields       []*Row
	hasList, hasUsers, hasTagged         bool // whether they were read
	hasTagRows, hasFields, hasChecklists bool
	checklists                           bool
	contents                             map[string]content // by custom field
	lowerTitle, lowerText                []byte             // nil until asked for
}

// listRow returns the record's list: for a list, itself.
func (s *subject) listRow() (*Row, error) {
	if s.row.shape.entity == TodoList {
		return s.row, nil
	}
	if s.hasList {
		return s.list, nil
	}
	var err error
	s.list, err = s.state.parent(s.row, TodoList, "todoListId")
	s.hasList = err == nil
	return s.list, err
}

// children reads a list of the todo's rows once, in the order of payloads.
func (s *subject) children(into *[]*Row, known *bool, e Entity) ([]*Row, error) {
	if *known {
		return *into, nil
	}
	rows, err := s.state.children(e, "todoId", s.row.id())
	if err != nil {
		return nil, err
	}
	byPosition(rows)
	*into, *known = rows, true
	return rows, nil
}

func (s *subject) assignees() ([]*Row, error) { return s.children(&s.users, &s.hasUsers, TodoUser) }

func (s *subject) todoTags() ([]*Row, error) { return s.children(&s.tagged, &s.hasTagged, TodoTag) }

func (s *subject) values() ([]*Row, error) {
	return s.children(&s.fields, &s.hasFields, TodoCustomField)
}

// tags returns the rows of the todo's tags.
func (s *subject) tags() ([]*Row, error) {
	if s.hasTagRows {
		return s.tagRows, nil
	}
	pairs, err := s.todoTags()
	if err != nil {
		return nil, err
	}
	for _, pair := range pairs {
		tag, err := s.state.parent(pair, Tag, "tagId")
		if err != nil {
			return nil, err
		}
		if tag != nil {
			s.tagRows = append(s.tagRows, tag)
		}
	}
	s.hasTagRows = true
	return s.tagRows, nil
}

// lower returns title and text in lower case.
func (s *subject) lower() (title, text []byte) {
	if s.lowerTitle == nil {
		s.lowerTitle = append([]byte{}, bytes.ToLower(s.row.cell("title").text)...)
		s.lowerText = bytes.ToLower(s.row.cell("text").text)
	}
	return s.lowerTitle, s.lowerText
}

func (s *subject) hasChecklist() (bool, error) {
	if s.hasChecklists {
		return s.checklists, nil
	}
	for _, err := range s.state.each(Checklist, "todoId", s.row.id()) {
		if err != nil {
			return false, err
		}
		s.checklists = true
		break
	}
	s.hasChecklists = true
	return s.checklists, nil
}
