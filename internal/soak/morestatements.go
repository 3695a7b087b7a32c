//go:build unix

package soak

import "fmt"

func (a author) newComment() string {
	if a.IntN(6) == 0 { // on a discussion, which is kept elsewhere
		return fmt.Sprintf(`INSERT INTO comments (id, html, text, category, discussion_id)
			VALUES ('%s', %s, %s, 'DISCUSSION', 'elsewhere')`, a.id(), a.words(), a.words())
	}
	return fmt.Sprintf(`INSERT INTO comments (id, html, text, user_id, todo_id)
		SELECT '%s', %s, %s, p1.id, p2.id FROM %s`, a.id(), a.words(), a.words(), a.from("users", "todos"))
}

func (a author) editComment() string {
	return fmt.Sprintf(`UPDATE comments SET html = %s, updated_at = now() WHERE id = %s`, a.words(), a.some("comments"))
}

func (a author) hideComment() string {
	return fmt.Sprintf(`UPDATE comments SET text = %s,
		deleted_at = CASE WHEN deleted_at IS NULL THEN now() END WHERE id = %s`, a.words(), a.some("comments"))
}

func (a author) moveComment() string {
	return fmt.Sprintf(`UPDATE comments SET todo_id = p1.id, text = %s FROM %s WHERE comments.id = %s`, a.words(),
		a.from("todos"), a.some("comments"))
}

func (a author) deleteComment() string {
	return "DELETE FROM comments WHERE id = " + a.some("comments")
}

func (a author) newChecklist() string {
	id := a.id()
	return fmt.Sprintf(`INSERT INTO checklists (id, title, position, todo_id)
			SELECT '%[1]s', %[2]s, %[3]d, p1.id FROM %[4]s;
		INSERT INTO checklist_items (id, title, position, checklist_id)
			SELECT id || i, title || i, 3 - i, id FROM checklists, generate_series(1, 3) i WHERE id = '%[1]s'`,
		id, a.words(), a.IntN(9), a.from("todos"))
}

func (a author) editChecklist() string {
	if a.IntN(3) == 0 {
		return fmt.Sprintf(`UPDATE checklists SET todo_id = p1.id FROM %s WHERE checklists.id = %s`, a.from("todos"),
			a.some("checklists"))
	}
	return fmt.Sprintf(`UPDATE checklists SET title = %s WHERE id = %s`, a.words(), a.some("checklists"))
}

func (a author) deleteChecklist() string {
	return "DELETE FROM checklists WHERE id = " + a.some("checklists")
}

func (a author) newItem() string {
	return fmt.Sprintf(`INSERT INTO checklist_items (id, title, position, checklist_id)
		SELECT '%s', %s, %d, p1.id FROM %s`, a.id(), a.words(), a.IntN(9), a.from("checklists"))
}

func (a author) editItem() string {
	set := a.one("title = "+a.words(), "done = NOT done", "dued_at = "+a.date(), "position = position / 2")
	if a.IntN(6) == 0 {
		return fmt.Sprintf(`UPDATE checklist_items SET %s, checklist_id = p1.id FROM %s WHERE checklist_items.id = %s`, set,
			a.from("checklists"), a.some("checklist_items"))
	}
	return fmt.Sprintf(`UPDATE checklist_items SET %s WHERE id = %s`, set, a.some("checklist_items"))
}

func (a author) deleteItem() string {
	return "DELETE FROM checklist_items WHERE id = " + a.some("checklist_items")
}

func (a author) assignItem() string {
	if a.IntN(3) == 0 {
		return "DELETE FROM checklist_item_users WHERE id = " + a.some("checklist_item_users")
	}
	return fmt.Sprintf(`INSERT INTO checklist_item_users (id, checklist_item_id, user_id)
		SELECT '%s', p1.id, p2.id FROM %s`,
		a.id(), a.from("checklist_items", "users"))
}

func (a author) assign() string {
	return fmt.Sprintf(`INSERT INTO todo_users (id, todo_id, user_id) SELECT '%s', p1.id, p2.id FROM %s`,
		a.id(), a.from("todos", "users"))
}

// reassign replaces a set as Blue does: who stays was not removed and not added.
func (a author) reassign() string {
	if a.IntN(3) == 0 {
		return fmt.Sprintf(`UPDATE todo_users SET user_id = p1.id FROM %s WHERE todo_users.id = %s`, a.from("users"),
			a.some("todo_users"))
	}
	id := a.id()
	return fmt.Sprintf(`CREATE TEMP TABLE set%[1]s ON COMMIT DROP AS SELECT todo_id, user_id FROM todo_users
			WHERE todo_id = (SELECT todo_id FROM todo_users WHERE id = %[2]s);
		DELETE FROM todo_users WHERE todo_id IN (SELECT todo_id FROM set%[1]s);
		INSERT INTO todo_users (id, todo_id, user_id)
			SELECT '%[1]s' || row_number() OVER (), todo_id, user_id FROM set%[1]s
			WHERE hashtext(user_id || '%[1]s') %% 10 <> 0`,
		id, a.some("todo_users"))
}

func (a author) unassign() string { return "DELETE FROM todo_users WHERE id = " + a.some("todo_users") }

func (a author) tagTodo() string {
	return fmt.Sprintf(`INSERT INTO todo_tags (id, todo_id, tag_id) SELECT '%s', p1.id, p2.id FROM %s`, a.id(),
		a.from("todos", "tags"))
}

func (a author) untagTodo() string { return "DELETE FROM todo_tags WHERE id = " + a.some("todo_tags") }

func (a author) newTag() string {
	return fmt.Sprintf(`INSERT INTO tags (id, title, project_id) SELECT '%s', %s, p1.id FROM %s`, a.id(), a.words(),
		a.from("projects"))
}

func (a author) editTag() string {
	return fmt.Sprintf(`UPDATE tags SET color = '#%06x' WHERE id = %s`, a.IntN(4), a.some("tags"))
}

func (a author) deleteTag() string { return "DELETE FROM tags WHERE id = " + a.some("tags") }

func (a author) newField() string {
	id := a.id()
	return fmt.Sprintf(`INSERT INTO custom_fields (id, name, type, formula, project_id)
			SELECT '%[1]s', %[2]s, 'SELECT_MULTI', '{"a": [1, null, "x"]}', p1.id FROM %[3]s;
		INSERT INTO custom_field_options (id, title, position, custom_field_id)
			SELECT id || i, name || i, i, id FROM custom_fields, generate_series(1, 3) i WHERE id = '%[1]s';
		DELETE FROM custom_fields WHERE id = %[4]s AND (SELECT count(*) FROM custom_fields) > 8`,
		id, a.words(), a.from("projects"), a.some("custom_fields"))
}

func (a author) editField() string {
	set := a.one("name = "+a.words(), "min = 1.5, max = 2", "updated_at = now()", "position = position / 2")
	return fmt.Sprintf(`UPDATE custom_fields SET %s WHERE id = %s`, set, a.some("custom_fields"))
}

func (a author) editOptions() string {
	switch a.IntN(4) {
	case 0:
		return fmt.Sprintf(`INSERT INTO custom_field_options (id, title, custom_field_id) SELECT '%s', %s, p1.id FROM %s`,
			a.id(), a.words(), a.from("custom_fields"))
	case 1:
		return "DELETE FROM custom_field_options WHERE id = " + a.some("custom_field_options")
	}
	return fmt.Sprintf(`UPDATE custom_field_options SET title = %s WHERE id = %s`, a.words(),
		a.some("custom_field_options"))
}

func (a author) fillField() string {
	switch a.IntN(3) {
	case 0:
		return "DELETE FROM todo_custom_fields WHERE id = " + a.some("todo_custom_fields")
	case 1:
		return fmt.Sprintf(`UPDATE todo_custom_fields SET number = %d.%d, checked = NOT checked, uid = '%s' WHERE id = %s`,
			a.IntN(3), a.IntN(3), a.id(), a.some("todo_custom_fields"))
	}
	return fmt.Sprintf(`INSERT INTO todo_custom_fields (id, number, text, checked, latitude, todo_id, custom_field_id)
		SELECT '%s', 12.50, %s, true, 52.25, p1.id, p2.id FROM %s`, a.id(), a.words(), a.from("todos", "custom_fields"))
}

func (a author) choose() string {
	if a.IntN(3) == 0 {
		return "DELETE FROM todo_custom_field_options WHERE id = " + a.some("todo_custom_field_options")
	}
	return fmt.Sprintf(`INSERT INTO todo_custom_field_options (id, todo_custom_field_id, custom_field_option_id)
		SELECT '%s', p1.id, p2.id FROM %s`, a.id(), a.from("todo_custom_fields", "custom_field_options"))
}

func (a author) newList() string {
	return fmt.Sprintf(`INSERT INTO todo_lists (id, title, position, project_id)
		SELECT '%s', %s, %d.5, p1.id FROM %s`, a.id(), a.words(), a.IntN(9), a.from("projects"))
}

func (a author) editList() string {
	if a.IntN(3) == 0 {
		return fmt.Sprintf(`UPDATE todo_lists SET project_id = p1.id FROM %s WHERE todo_lists.id = %s`, a.from("projects"),
			a.some("todo_lists"))
	}
	return fmt.Sprintf(`UPDATE todo_lists SET title = %s WHERE id = %s`, a.words(), a.some("todo_lists"))
}

// deleteList takes all todos of the list along, and all that hangs on them.
func (a author) deleteList() string {
	return fmt.Sprintf(`DELETE FROM todo_lists WHERE id = %s AND (SELECT count(*) FROM todo_lists) > 6`,
		a.some("todo_lists"))
}

// editPeople changes users, who stand in many values and fire nothing themselves.
func (a author) editPeople() string {
	switch a.IntN(4) {
	case 0:
		return fmt.Sprintf(`INSERT INTO users (id, email, first_name) VALUES ('%s', %s, %s)`, a.id(), a.words(), a.words())
	case 1:
		return fmt.Sprintf(`DELETE FROM users WHERE id = %s AND id <> '%s'
			AND (SELECT count(*) FROM users WHERE id > '0') > 8`,
			a.some("users"), keptMember)
	}
	return fmt.Sprintf(`UPDATE users SET first_name = %s, password_hash = %s WHERE id = %s`, a.words(), a.words(),
		a.some("users"))
}

// editAbove changes what stands above lists; now and then a project or a company goes, with all that is in it.
func (a author) editAbove() string {
	switch a.IntN(10) {
	case 0:
		return fmt.Sprintf(`INSERT INTO projects (id, slug, name, company_id) SELECT '%s', 'p', %s, p1.id FROM %s`, a.id(),
			a.words(), a.from("companies"))
	case 1:
		return fmt.Sprintf(`DELETE FROM projects WHERE id = %s AND (SELECT count(*) FROM projects) > 4 AND id <> '%s'`,
			a.some("projects"), keptProject)
	case 2:
		return fmt.Sprintf(`INSERT INTO companies (id, slug, name) VALUES ('%s', '%x', %s)`, a.id(), a.Uint64(), a.words())
	case 3:
		return fmt.Sprintf(`DELETE FROM companies WHERE id = %s AND id <> '%s' AND (SELECT count(*) FROM companies) > 3
			AND (SELECT count(*) FROM projects WHERE company_id = companies.id) < 3
			AND NOT EXISTS (SELECT FROM projects WHERE company_id = companies.id AND id = '%s')`,
			a.some("companies"), keptCompany, keptProject)
	case 4, 5:
		return fmt.Sprintf(`UPDATE companies SET name = %s WHERE id = %s`, a.words(), a.some("companies"))
	}
	return fmt.Sprintf(`UPDATE projects SET name = %s, todo_fields = '[1]' WHERE id = %s`, a.words(), a.some("projects"))
}

// editMembers lets users join and leave projects, one of them more often than the others.
func (a author) editMembers() string {
	switch a.IntN(5) {
	case 0:
		return fmt.Sprintf(`DELETE FROM project_users WHERE id = %s`, a.some("project_users"))
	case 1:
		return fmt.Sprintf(`DELETE FROM project_users WHERE user_id = '%s' AND project_id = %s`, keptMember,
			a.some("projects"))
	case 2:
		return fmt.Sprintf(`UPDATE project_users SET level = '%s' WHERE id = %s`, a.one("OWNER", "ADMIN", "CLIENT"),
			a.some("project_users"))
	}
	user := a.one("'"+keptMember+"'", a.some("users"))
	return fmt.Sprintf(`INSERT INTO project_users (id, project_id, user_id) SELECT '%s', p1.id, users.id
		FROM %s, users WHERE users.id = %s ON CONFLICT DO NOTHING`, a.id(), a.from("projects"), user)
}
