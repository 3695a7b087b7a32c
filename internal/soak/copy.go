//go:build unix

package soak

import (
	"context"
	"fmt"
	"strings"
)

// copies are the COPYs by what they refer to; that is a column of the query in copyIn.
var copies = []struct {
	into string
	line func(a author, n int, refers []string) string // "" if there is nothing to refer to
}{
	{"todos (id, title, todo_list_id)", func(a author, _ int, refers []string) string {
		return fmt.Sprintf("%s\tcopied %x\t%s\n", a.id(), a.Uint32(), refers[0])
	}},
	{"tags (id, title, project_id)", func(a author, n int, _ []string) string {
		if n > 2 {
			return "" // few tags, as each stands in many values
		}
		return fmt.Sprintf("%s\tcopied %x\t%s\n", a.id(), a.Uint32(), keptProject)
	}},
	{"comments (id, html, text, todo_id)", func(a author, _ int, refers []string) string {
		return fmt.Sprintf("%s\t\\\\copied\\t%x\t漢字\t%s\n", a.id(), a.Uint32(), refers[1])
	}},
	{"checklist_items (id, title, position, checklist_id)", func(a author, n int, refers []string) string {
		return fmt.Sprintf("%s\tcopied %x\t%d\t%s\n", a.id(), a.Uint32(), n%7, refers[2])
	}},
	{"todo_users (id, todo_id, user_id)", func(a author, n int, refers []string) string {
		if n > 5 {
			return ""
		}
		return fmt.Sprintf("%s\t%s\t%s\n", a.id(), refers[1], refers[3])
	}},
	{"todo_tags (id, todo_id, tag_id)", func(a author, n int, refers []string) string {
		if n > 5 {
			return ""
		}
		return fmt.Sprintf("%s\t%s\t%s\n", a.id(), refers[1], refers[4])
	}},
	{"todo_lists (id, title, project_id)", func(a author, n int, _ []string) string {
		if n > 1 {
			return ""
		}
		return fmt.Sprintf("%s\tcopied %x\t%s\n", a.id(), a.Uint32(), keptProject)
	}},
}

// copyIn is one COPY, now and then of many rows.
func (w *client) copyIn(ctx context.Context) error {
	a := w.author
	refers := make([]string, 5)
	err := w.conn.QueryRow(ctx, fmt.Sprintf(
		"SELECT coalesce(%s, ''), coalesce(%s, ''), coalesce(%s, ''), coalesce(%s, ''), coalesce(%s, '')",
		a.some("todo_lists"), a.some("todos"), a.some("checklists"), a.some("users"), a.some("tags"))).
		Scan(&refers[0], &refers[1], &refers[2], &refers[3], &refers[4])
	if err != nil {
		return err
	}
	for _, id := range refers {
		if id == "" {
			return nil
		}
	}
	rows := 1 + a.IntN(5)
	if a.IntN(12) == 0 {
		rows = 30 + a.IntN(50)
	}
	c := copies[a.IntN(len(copies))]
	var lines strings.Builder
	for n := range rows {
		lines.WriteString(c.line(a, n, refers))
	}
	tag, err := w.conn.PgConn().CopyFrom(ctx, strings.NewReader(lines.String()), "COPY "+c.into+" FROM STDIN")
	if err == nil {
		w.done.copies++
		w.done.copiedRows += int(tag.RowsAffected())
	}
	return err
}
