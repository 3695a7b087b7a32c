//go:build unix

package blueschema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgtest"
)

const (
	compactFile = "../../mapping/testdata/todo_created.json"
	prettyFile  = "../../mapping/testdata/todo_created.pretty.json"
)

type object map[string]any

// TestSeedIsBluesDelivery compares the rows with Blue's document, scalar by scalar, and the columns of the tables of
// which every column is sent with its keys.
func TestSeedIsBluesDelivery(t *testing.T) {
	s := pgtest.Start(t)
	s.Exec(t, "postgres", blueschema.SQL()+blueschema.SeedTodoCreated()+blueschema.InsertTodoCreated())
	var document struct{ CurrentValue object }
	data, err := os.ReadFile(compactFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	todo := document.CurrentValue
	list := child(t, todo, "todoList")
	project := child(t, list, "project")
	for _, c := range []struct {
		table string
		want  object
		exact bool
	}{
		{"todos", todo, true},
		{"todo_lists", list, true},
		{"projects", project, false},
		{"companies", child(t, project, "company"), false},
	} {
		compare(t, s, c.table, c.want, c.exact)
	}
}

func child(t *testing.T, parent object, key string) object {
	t.Helper()
	value, ok := parent[key].(map[string]any)
	if !ok {
		t.Fatalf("the document has no object %s", key)
	}
	return value
}

var capital = regexp.MustCompile("[A-Z]")

func compare(t *testing.T, s *pgtest.Server, table string, want object, exact bool) {
	t.Helper()
	out := s.Exec(t, "postgres", fmt.Sprintf(
		"SET timezone TO UTC; SELECT row_to_json(r) FROM %s r WHERE id = '%s'", table, want["id"]))
	var row object
	if err := json.Unmarshal([]byte(out), &row); err != nil {
		t.Fatalf("%s: %v", table, err)
	}
	for key, value := range want {
		if _, nested := value.(map[string]any); nested {
			continue
		}
		if _, nested := value.([]any); nested {
			continue
		}
		column := capital.ReplaceAllStringFunc(key, func(s string) string { return "_" + strings.ToLower(s) })
		got, ok := row[column]
		if !ok || plain(got) != plain(value) {
			t.Errorf("%s.%s is %v, want %v", table, column, got, value)
		}
		delete(row, column)
	}
	if exact && len(row) > 0 {
		t.Errorf("%s has columns that the document has not: %v", table, row)
	}
}

var fraction = regexp.MustCompile(`(\d\.\d*?)0+$`)

// plain levels the ways in which PostgreSQL's JSON differs from Blue's: the zone's name and trailing zeros.
func plain(value any) string {
	text := strings.TrimSuffix(strings.TrimSuffix(fmt.Sprint(value), "+00:00"), "Z")
	return strings.TrimSuffix(fraction.ReplaceAllString(text, "$1"), ".")
}

// TestDocumentIsOneLine holds the two copies of Blue's document together.
func TestDocumentIsOneLine(t *testing.T) {
	pretty, err := os.ReadFile(prettyFile)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(compactFile)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, pretty); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("todo_created.json is not the compact form of todo_created.pretty.json")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node to compare with")
	}
	script := `const text = require("fs").readFileSync(process.argv[1]);
		process.stdout.write(JSON.stringify(JSON.parse(text)))`
	stringified, err := exec.Command(node, "-e", script, prettyFile).Output()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, stringified) {
		t.Error("todo_created.json is not what JSON.stringify prints")
	}
}
