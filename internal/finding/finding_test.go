package finding

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestCheckDoc holds that docs/check.md lists every code and nothing else, in the order in which they are shown.
func TestCheckDoc(t *testing.T) {
	doc, err := os.ReadFile("../../docs/check.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	want.WriteString("| code | looks at |\n|---|---|\n")
	codes, what := Codes()
	for i, code := range codes {
		fmt.Fprintf(&want, "| `%s` | %s |\n", code, what[i])
	}
	if !strings.HasSuffix(string(doc), want.String()) {
		t.Errorf("docs/check.md does not end with\n%s", want.String())
	}
}

func TestSort(t *testing.T) {
	found := []Finding{Passed(Disk, "1"), Passed(Tables, "2"), Passed("new", "3"), Passed(Tables, "4")}
	Sort(found)
	var got string
	for _, f := range found {
		got += f.Text
	}
	if got != "3241" {
		t.Errorf("order %s, want 3241", got)
	}
}
