package mapping

// membership is a question: is the user a member of the project, in the state in which the project is known.
type membership struct {
	user, project string
	in            View
}

// hasMember tells whether the user that the webhook asks for is a member of one of the event's projects, of those that
// the webhook asks for. A project that is known only before is asked about before.
func (r *route) hasMember(a *asked) (bool, error) {
	if r.member == "" {
		return true, nil
	}
	scopes, err := a.scopes()
	if err != nil {
		return false, err
	}
	for i, s := range scopes {
		asks := len(r.projects)+len(r.companies) > 0
		if asks && !r.projects.has(s.project) && !r.companies.has(s.company) {
			continue
		}
		in := s.in
		if i > 0 && scopes[0].project == s.project { // a project that changed its company is known after, too
			in = scopes[0].in
		}
		member, err := a.isMember(membership{r.member, s.project, in.view}, in)
		if member || err != nil {
			return member, err
		}
	}
	return false, nil
}

func (a *asked) isMember(question membership, in state) (bool, error) {
	if answer, known := a.members[question]; known {
		return answer, nil
	}
	answer, err := in.hasMember(question.user, question.project)
	if err != nil {
		return false, err
	}
	if a.members == nil {
		a.members = map[membership]bool{}
	}
	a.members[question] = answer
	return answer, nil
}

func (s state) hasMember(user, project string) (bool, error) {
	for row, err := range s.each(ProjectUser, "userId", user) {
		if err != nil {
			return false, err
		}
		if c := row.cell("projectId"); c.kind == cellText && string(c.text) == project {
			return true, nil
		}
	}
	return false, nil
}
