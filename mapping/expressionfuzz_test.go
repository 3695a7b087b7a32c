package mapping

import (
	"strings"
	"testing"

	"github.com/expr-lang/expr/vm"
)

// FuzzExpression compiles what it can and runs it on nothing but nils: no text may break the process, an error is one
// line, and a second run comes out as the first.
func FuzzExpression(f *testing.F) {
	for _, c := range expressionCases {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := compileExpression(text)
		if err != nil {
			if strings.Contains(err.Error(), "\n") || err.Error() == "" {
				t.Errorf("error %q is not one line", err)
			}
			return
		}
		e.vm = vm.VM{MemoryBudget: 1000}
		nothing := map[string]any{"event": "TODO_CREATED", "tags": []string{}, "assignees": []string{}, "changed": []string{}}
		first, firstErr := e.vm.Run(e.program, nothing)
		second, secondErr := e.vm.Run(e.program, nothing)
		if (firstErr == nil) != (secondErr == nil) || (first == true) != (second == true) {
			t.Errorf("%q: %v, %v, then %v, %v", text, first, firstErr, second, secondErr)
		}
	})
}
