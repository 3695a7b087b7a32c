package mapping

// link is a step of an entity's chain of foreign keys.
type link struct {
	via    string
	entity Entity
}

// recordChain is the chain todo ← checklist ← item, comment, and the relations, that says whose record an event is.
var recordChain = map[Entity]link{
	ChecklistItem: {"checklistId", Checklist},
	Checklist:     {"todoId", Todo},
	Comment:       {"todoId", Todo},
}

// projectChain leads from an entity to the todo list or row that carries the projectId.
var projectChain = map[Entity]link{
	ChecklistItem: {"checklistId", Checklist},
	Checklist:     {"todoId", Todo},
	Comment:       {"todoId", Todo},
	Todo:          {"todoListId", TodoList},
}

// record names the record whose events are delivered in order: the end of the row's chain, from key values alone, so
// that it is known even when the rows on the way are not. Without a todo it is the row itself.
func (s state) record(r *Row) (Record, error) {
	entity, id := r.shape.entity, r.id()
	for {
		next, ok := recordChain[entity]
		if !ok || r == nil {
			return Record{entity, id}, nil
		}
		up, ok := r.text(next.via)
		if !ok {
			return Record{entity, id}, nil
		}
		entity, id = next.entity, up
		if _, more := recordChain[entity]; !more {
			return Record{entity, id}, nil
		}
		var err error
		if r, err = s.byID(entity, id); err != nil {
			return Record{}, err
		}
	}
}

// project returns the id of the row's project and of that project's company, "" where there is none.
func (s state) project(r *Row) (project, company string, err error) {
	holder, row, err := s.projectOf(r)
	if err != nil || holder == nil {
		return "", "", err
	}
	project, _ = holder.text("projectId")
	if row != nil {
		company, _ = row.text("companyId")
	}
	return project, company, nil
}

// projectOf follows the row's chain to the row that holds the projectId, and to the project itself; nil where there is
// none.
func (s state) projectOf(r *Row) (holder, project *Row, err error) {
	for r != nil {
		next, ok := projectChain[r.shape.entity]
		if !ok {
			break
		}
		if r, err = s.parent(r, next.entity, next.via); err != nil {
			return nil, nil, err
		}
	}
	if r == nil {
		return nil, nil, nil
	}
	project, err = s.parent(r, Project, "projectId")
	return r, project, err
}
