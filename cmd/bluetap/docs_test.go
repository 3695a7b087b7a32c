package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// testName is a test or a fuzz target as the documentation names it: in backticks, alone.
var testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9]*)`")

// packageName is a package as the documentation names it, before the tests that are in it.
var packageName = regexp.MustCompile("`((?:bench|capture|cmd|deliver|internal|mapping)(?:/[a-z]+)*)`")

// TestDocsNameTests holds that each test that the documentation names exists, in the package that was named last on
// its line.
func TestDocsNameTests(t *testing.T) {
	have := declaredTests(t, filepath.Join("..", ".."))
	for _, doc := range []string{"testing.md", "known-bugs.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", doc))
		if err != nil {
			t.Fatal(err)
		}
		named, n := 0, 0
		for line := range strings.Lines(string(text)) {
			n++
			for _, at := range testName.FindAllStringSubmatchIndex(line, -1) {
				name, pkg := line[at[2]:at[3]], ""
				for _, p := range packageName.FindAllStringSubmatch(line[:at[0]], -1) {
					pkg = p[1]
				}
				named++
				if !have[pkg+" "+name] {
					t.Errorf("docs/%s:%d: %s is not in package %q", doc, n, name, pkg)
				}
			}
		}
		if named < 20 {
			t.Errorf("docs/%s names %d tests: is it read right?", doc, named)
		}
	}
}

// declaredTests returns the tests of all packages under root, as "package name".
func declaredTests(t *testing.T, root string) map[string]bool {
	t.Helper()
	have := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		pkg, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
				have[filepath.ToSlash(pkg)+" "+f.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return have
}
