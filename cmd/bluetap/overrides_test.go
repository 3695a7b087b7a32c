package main

import (
	"slices"
	"strings"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
	"bluetap/internal/racetest"
)

const overrideCases = "../../mapping/testdata/overrides"

// dropForeignKeys lets the keys of a table be altered, and rows come and go as in a schema without constraints.
const dropForeignKeys = `
	DO $$
	DECLARE c record;
	BEGIN
		FOR c IN SELECT conname, conrelid::regclass AS tab FROM pg_constraint WHERE contype = 'f' LOOP
			EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.tab, c.conname);
		END LOOP;
	END $$;`

// renamedAndOmitted has a table and columns of Blue's under foreign names, further columns, and leaves fields out by
// the config, foreign keys among them.
var renamedAndOmitted = setting{
	ready: `
		ALTER TABLE todos RENAME TO "Aufgaben";
		ALTER TABLE "Aufgaben" RENAME title TO titel;
		ALTER TABLE "Aufgaben" RENAME todo_list_id TO liste;
		ALTER TABLE "Aufgaben"
			ADD "Title" text DEFAULT 'not Blue''s',
			ADD estimated_hours numeric(9, 2), ADD todo_tags text DEFAULT 'a related row''s name',
			ADD "2" text DEFAULT 'an integer', ADD secret_note text DEFAULT 'never',
			ADD words int GENERATED ALWAYS AS (length(titel)) STORED,
			ADD _last__seen timestamptz(3), ADD labels text[] DEFAULT '{a,"b c"}';
		ALTER TABLE checklists ADD removed timestamptz(3), ADD removed_at date;
		ALTER TABLE users DROP first_name, ADD first_name text GENERATED ALWAYS AS (split_part(email, '@', 1)) STORED;`,
	database: `tables:
    todo:
      table: Aufgaben
      columns: {title: titel, todoListId: liste, effort: estimated_hours}
      omit: [html, secretNote, todoListId, createdById, archived]
    comment: {omit: [todoId, userId, discussionId]}
    checklist: {columns: {deletedAt: removed}, omit: [id, todoId, deletedAt]}
    checklistItem: {omit: [checklistId, position]}
    checklistItemUser: {omit: [id, uid, checklistItemId]}
    todoUser: {omit: [todoId, userId]}
    todoList: {omit: [projectId]}
    project: {omit: [companyId]}
    tag: {omit: [nope]}
    user: {columns: {nick: username}, omit: [email, passwordHash]}`,
}

// TestRenamedAndOmitted holds that the values of what is left out are in no body, and that routing knows them all the
// same.
func TestRenamedAndOmitted(t *testing.T) {
	racetest.SkipOneByOne(t)
	t.Parallel()
	app := receive(t)
	in := renamedAndOmitted
	in.webhooks = []webhookYAML{{id: "app", url: app.URL, extra: []string{"projectIds: [app]"}}}
	s := newStageOf(t, in)
	s.playAll(t, overrideCases+"/renamed")
	tagMark.set(t, s.pg, s.to, "last", `UPDATE "Aufgaben" SET done = true WHERE id = 'in-app';`)
	app.waitForBody(t, "TODO_DONE_STATUS_UPDATED", `"id":"in-app"`)
	s.stop(t)
	wantWarnings(t, s,
		"table Aufgaben: column Title is left out: another column is sent as title",
		"table Aufgaben: column todo_tags is left out: todoTags is a related row in payloads",
		"table Aufgaben: column 2 is left out: its name looks like an integer, which JavaScript would move to the front",
		"table Aufgaben: generated column words is not in the replication stream and is left out",
		"table users: generated column first_name is not in the replication stream and is left out",
		"database.tables.tag.omit: there is no field nope",
		"database.tables.user.columns.nick: a user has no such field")
	for _, d := range slices.Concat(s.to.deliveries(), s.extensions.deliveries(), app.deliveries()) {
		for _, value := range []string{"never", "@example.com", "not Blue's", "a related row's name", "an integer"} {
			if strings.Contains(d.body, value) {
				t.Errorf("sent although left out, %q in %s", value, d.body)
			}
		}
	}
	var routed []string
	for _, d := range app.deliveries() {
		routed = append(routed, d.event)
	}
	want := []string{"TODO_CREATED", "TODO_MOVED", "COMMENT_CREATED", "TODO_CHECKLIST_CREATED",
		"TODO_CHECKLIST_ITEM_CREATED", "TODO_CHECKLIST_ITEM_ASSIGNEE_ADDED", "TODO_ASSIGNEE_ADDED",
		"TODO_DONE_STATUS_UPDATED"}
	if !slices.Equal(routed, want) {
		t.Errorf("project app was sent\n%s, want\n%s", routed, want)
	}
}

// TestMissingTables has neither people nor tags of todos, no projects, no items, and todos that are switched off.
func TestMissingTables(t *testing.T) {
	racetest.SkipOneByOne(t)
	t.Parallel()
	missing := `DROP TABLE users, project_users, projects, companies, todo_tags, checklist_items, checklist_item_users,
		custom_field_options CASCADE;`
	t.Run("around todos", func(t *testing.T) {
		s := newStageOf(t, setting{ready: missing})
		s.playAll(t, overrideCases+"/missing")
		s.stop(t)
		var warnings []string
		for _, entity := range []string{"company (looked for companies, company, Company)",
			"project (looked for projects, project, Project)",
			"checklistItem (looked for checklist_items, ChecklistItem)",
			"customFieldOption (looked for custom_field_options, CustomFieldOption)",
			"todoTag (looked for todo_tags, TodoTag)",
			"checklistItemUser (looked for checklist_item_users, ChecklistItemUser)",
			"user (looked for users, user, User)", "projectUser (looked for project_users, ProjectUser)"} {
			warnings = append(warnings, "no table for entity "+entity+": its events are off")
		}
		wantWarnings(t, s, warnings...)
		wantNoLog(t, s, "mirror and stream diverge")
	})
	t.Run("todos themselves", func(t *testing.T) {
		s := newStageOf(t, setting{database: "tables: {todo: {enabled: false}, customField: {enabled: false}}"})
		s.playAll(t, overrideCases+"/disabled")
		s.stop(t)
		wantWarnings(t, s)
	})
}

// TestOtherKeys has keys of other types, keys of several columns, and tables without a column named id.
func TestOtherKeys(t *testing.T) {
	racetest.SkipOneByOne(t)
	t.Parallel()
	s := newStageOf(t, setting{ready: dropForeignKeys + `
		ALTER TABLE users ALTER id TYPE int USING CASE id WHEN 'ben' THEN 2 WHEN 'cy' THEN 3 ELSE 1 END;
		ALTER TABLE todo_users ALTER user_id TYPE int USING NULL;
		ALTER TABLE comments ALTER user_id TYPE int USING NULL;
		ALTER TABLE todos ALTER created_by_id TYPE int USING NULL;
		ALTER TABLE todo_lists ALTER id TYPE uuid USING md5(id)::uuid;
		ALTER TABLE todos ALTER todo_list_id TYPE uuid USING NULL, ALTER id TYPE bigint USING NULL;
		ALTER TABLE comments ALTER todo_id TYPE bigint USING NULL,
			DROP CONSTRAINT comments_uid_key, DROP CONSTRAINT comments_pkey, ADD PRIMARY KEY (todo_id, id);
		ALTER TABLE todo_users ALTER todo_id TYPE bigint USING NULL;
		ALTER TABLE todo_tags ALTER todo_id TYPE bigint USING NULL;
		ALTER TABLE todo_custom_fields ALTER todo_id TYPE bigint USING NULL;
		ALTER TABLE checklists ALTER todo_id TYPE bigint USING NULL, ALTER id TYPE int USING NULL;
		ALTER TABLE checklists RENAME id TO nr;
		ALTER TABLE checklist_items ALTER checklist_id TYPE int USING NULL, ALTER id TYPE smallint USING NULL,
			DROP CONSTRAINT checklist_items_pkey, ADD PRIMARY KEY (id, checklist_id);
		ALTER TABLE checklist_item_users ALTER checklist_item_id TYPE smallint USING NULL,
			ALTER user_id TYPE int USING NULL, DROP id, ADD PRIMARY KEY (user_id, checklist_item_id);
		DROP TRIGGER same ON checklists;
		DROP TRIGGER same ON checklist_item_users;`})
	s.playAll(t, overrideCases+"/keys")
	s.stop(t)
	wantIDs(t, s.to)
	wantNoLog(t, s, "mirror and stream diverge")
}

// TestTwoCandidates has two tables for the lists, and one of them named. TestBadDatabase has neither named.
func TestTwoCandidates(t *testing.T) {
	racetest.SkipOneByOne(t)
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+`CREATE TABLE lists (id text PRIMARY KEY);`)
	hook := webhookYAML{id: "a", url: "https://example.com/"}
	i := install(t, pg.URL("postgres"), "", hook)
	i.configureDatabase(t, pg.URL("postgres"), "tables: {todoList: {table: todo_lists}}", hook)
	i.start(t)
}

// TestOtherSchema has Blue's tables in a schema of their own, beside others of the same names.
func TestOtherSchema(t *testing.T) {
	racetest.SkipOneByOne(t)
	t.Parallel()
	pg := pgtest.Start(t)
	pg.Exec(t, "postgres", blueschema.SQL()+"CREATE SCHEMA blue; SET search_path = blue;"+blueschema.SQL())
	to := receive(t)
	hook := webhookYAML{id: "a", url: to.URL}
	i := install(t, pg.URL("postgres"), "", hook)
	i.write(t, pg.URL("postgres"), "schema: blue", "delivery: {allowedNetworks: [127.0.0.0/8]}", []webhookYAML{hook})
	i.start(t)
	for _, schema := range []string{"public", "blue"} {
		pg.Exec(t, "postgres", "SET search_path = "+schema+`;
			INSERT INTO companies (id, slug, name) VALUES ('c', 'c', 'C');
			INSERT INTO projects (id, slug, name, company_id) VALUES ('p', 'p', 'P', 'c');
			INSERT INTO tags (id, title, project_id) VALUES ('g', current_schema, 'p');`)
	}
	to.waitForBody(t, "TAG_CREATED", `"title":"blue"`)
	if n := len(to.deliveries()); n != 1 {
		t.Errorf("%d deliveries, want the one of schema blue", n)
	}
}

// wantWarnings holds that the daemon warned of these things about the tables, in whatever order, and of no others.
func wantWarnings(t *testing.T, s *stage, want ...string) {
	t.Helper()
	var got []string
	for _, line := range s.daemon.log() {
		if strings.Contains(line, `"msg":"tables"`) {
			_, warning, _ := strings.Cut(line, `"warning":"`)
			got = append(got, strings.TrimSuffix(warning, `"}`))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("warnings:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
