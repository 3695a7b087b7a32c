package mapping

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// variables are what an expression is over.
var variables = []string{"event", "previous", "current", "record", "tags", "assignees", "project", "company", "changed"}

// use is what an expression reads of a value, so that no more than that is built for it.
type use struct {
	whole  bool // all of it
	fields map[string]*use
}

// of returns what is read of a field, nil for nothing.
func (u *use) of(name string) *use {
	if u.whole {
		return u
	}
	return u.fields[name]
}

// add adds what another expression reads of the same value.
func (u *use) add(other *use) {
	u.whole = u.whole || other.whole
	for name, of := range other.fields {
		if u.fields[name] == nil {
			u.fields[name] = &use{fields: map[string]*use{}}
		}
		u.fields[name].add(of)
	}
}

// reading finds out what an expression reads, and refuses what it must not have. It visits a tree from its leaves up.
type reading struct {
	uses    map[string]*use
	paths   map[ast.Node][]string // nodes that are a variable, or a named member of one: current, todoList, title
	settled map[ast.Node]bool     // those of them of which only a member is read, or whether they are there at all
	depths  map[ast.Node]int      // of predicates: how many lie within each other, this one included
	fault   *file.Error           // the first
}

// Visit implements ast.Visitor.
func (r *reading) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		r.identifier(n)
	case *ast.MemberNode:
		r.member(n)
	case *ast.ChainNode:
		r.pass(n, n.Node)
	case *ast.BuiltinNode:
		if why, found := withheld[n.Name]; found {
			r.refuse(n, fmt.Sprintf("%s is not available: %s", n.Name, why))
		}
	case *ast.PredicateNode:
		r.predicate(n)
	case *ast.BinaryNode:
		if n.Operator == ".." {
			r.refuse(n, "ranges are not available: only what the event holds can be gone through")
		}
		if n.Operator == "==" || n.Operator == "!=" {
			r.existence(n.Left, n.Right)
			r.existence(n.Right, n.Left)
		}
	}
}

func (r *reading) identifier(n *ast.IdentifierNode) {
	why, found := withheld[n.Value]
	switch {
	case n.Value == "$env":
		r.refuse(n, "$env is not available: name a variable")
	case found:
		r.refuse(n, fmt.Sprintf("%s is not available: %s", n.Value, why))
	case slices.Contains(variables, n.Value):
		r.paths[n] = []string{n.Value}
	}
}

func (r *reading) member(n *ast.MemberNode) {
	name, named := n.Property.(*ast.StringNode)
	path := r.paths[n.Node]
	switch {
	case named && name.Value == "Local":
		r.refuse(n, "Local is not available: the zone is the machine's, and a replay must route alike")
	case named && path != nil:
		r.paths[n] = append(slices.Clone(path), name.Value)
		r.settled[n.Node] = true
	case !named && len(path) != 1 && !isIndex(n.Property):
		r.refuse(n, "a computed name can only be a member of a variable")
	}
}

// predicate bounds how often predicates lie within each other: each level multiplies the steps of a run.
func (r *reading) predicate(n *ast.PredicateNode) {
	inner := &deepest{depths: r.depths}
	ast.Walk(&n.Node, inner)
	if r.depths[n] = inner.depth + 1; r.depths[n] > expressionDepth {
		r.refuse(n, fmt.Sprintf("more than %d predicates lie within each other", expressionDepth))
	}
}

// deepest finds the largest depth of the predicates in a tree.
type deepest struct {
	depths map[ast.Node]int
	depth  int
}

// Visit implements ast.Visitor.
func (d *deepest) Visit(node *ast.Node) { d.depth = max(d.depth, d.depths[*node]) }

// isIndex tells whether a property is a place in a list: a computed name could reach what is withheld.
func isIndex(n ast.Node) bool {
	if minus, ok := n.(*ast.UnaryNode); ok {
		n = minus.Node
	}
	_, ok := n.(*ast.IntegerNode)
	return ok
}

// pass makes outer stand for inner.
func (r *reading) pass(outer, inner ast.Node) {
	if path := r.paths[inner]; path != nil {
		r.paths[outer] = path
		r.settled[inner] = true
	}
}

// existence notes a comparison with nil, which reads nothing of a value.
func (r *reading) existence(value, with ast.Node) {
	if _, ok := with.(*ast.NilNode); ok && r.paths[value] != nil {
		r.settled[value] = true
	}
}

func (r *reading) refuse(n ast.Node, why string) {
	if r.fault == nil {
		r.fault = &file.Error{Location: n.Location(), Message: why}
	}
}

// used returns what is read, by variable.
func (r *reading) used() map[string]*use {
	for node, path := range r.paths {
		at := r.uses[path[0]]
		if at == nil {
			at = &use{fields: map[string]*use{}}
			r.uses[path[0]] = at
		}
		for _, name := range path[1:] {
			next := at.fields[name]
			if next == nil {
				next = &use{fields: map[string]*use{}}
				at.fields[name] = next
			}
			at = next
		}
		at.whole = at.whole || !r.settled[node]
	}
	return r.uses
}
