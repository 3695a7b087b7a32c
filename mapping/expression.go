package mapping

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

// The bounds of an expression: of its text in bytes, of what it is made of, of predicates within predicates, and of how
// many values one run of it may make. It runs where every transaction passes, and a fault that ended the process would
// end it again at the replay: so there are no loops but over what the event holds, and nothing that multiplies texts.
const (
	expressionBytes  = 10_000
	expressionNodes  = 1000
	expressionDepth  = 2
	expressionMemory = 100_000
)

// withheld are the functions of the language that an expression does not have, with the reason. Routing is decided
// again when a transaction is replayed after a crash, and must come out the same.
var withheld = map[string]string{
	"now":      "it reads the clock, and a replay must route alike",
	"timezone": "zones are the machine's, and a replay must route alike",
	"keys":     "a map has no order",
	"values":   "a map has no order",
	"toPairs":  "a map has no order",
	"reduce":   "what it builds has no bound",
	"repeat":   "what it builds has no bound",
	"replace":  "what it builds has no bound",
	"get":      "write the member itself: a.b is nil where there is none",
}

// expression is a compiled If.
type expression struct {
	program *vm.Program
	vm      vm.VM
	uses    map[string]*use // what it reads of its variables
	names   []string        // of them
}

// outcome is what came of evaluating an expression.
type outcome struct {
	holds, failed bool
	at            Position // where it failed
}

// CheckExpression tells what is wrong with the text of an If as far as that can be told without a database: its syntax,
// its variables and functions. The error is one line, with the place in the text as (line:column).
func CheckExpression(text string) error {
	_, err := compileExpression(text)
	return err
}

// compileFor compiles a subscription's If, and refuses what the database's columns do not have or cannot be compared.
func compileFor(m *Model, s Subscription) (*expression, error) {
	e, err := compileExpression(s.If)
	if err != nil {
		return nil, err
	}
	_, err = expr.Compile(s.If, append(language(), expr.Env(m.variables(s.entities())))...)
	if err != nil {
		return nil, oneLine(err)
	}
	return e, nil
}

// compileExpression compiles with variables of no type: what is compiled for a type takes a nil, which every column may
// be in a row that is not there, for a fault.
func compileExpression(text string) (*expression, error) {
	if len(text) > expressionBytes {
		return nil, fmt.Errorf("is longer than %d bytes", expressionBytes)
	}
	r := &reading{uses: map[string]*use{}, paths: map[ast.Node][]string{}, settled: map[ast.Node]bool{},
		depths: map[ast.Node]int{}}
	untyped := types.Map{}
	for _, name := range variables {
		untyped[name] = types.Any
	}
	program, err := expr.Compile(text, append(language(), expr.Env(untyped), expr.Patch(r), expr.Patch(&nilSafe{}))...)
	if r.fault != nil {
		return nil, oneLine(r.fault.Bind(file.NewSource(text)))
	}
	if err != nil {
		return nil, oneLine(err)
	}
	uses := r.used()
	return &expression{program: program, vm: vm.VM{MemoryBudget: expressionMemory}, uses: uses,
		names: slices.Sorted(maps.Keys(uses))}, nil
}

// language is what all compilations have in common.
func language() []expr.Option {
	options := []expr.Option{
		expr.AsBool(), expr.MaxNodes(expressionNodes), expr.DisableBuiltin("date"),
		expr.Function("date", date, new(func(string) time.Time), new(func(string, string) time.Time)),
	}
	for name := range withheld {
		options = append(options, expr.DisableBuiltin(name))
	}
	return options
}

// date reads an RFC 3339 time or a date, or by a layout of Go's; what names no zone is UTC. The language's own date
// would look abbreviations of zones up in the machine's.
func date(params ...any) (any, error) {
	layouts := []string{time.RFC3339Nano, time.DateTime, time.DateOnly}
	if len(params) == 2 {
		layouts = []string{params[1].(string)}
	}
	for _, layout := range layouts {
		if at, err := time.ParseInLocation(layout, params[0].(string), time.UTC); err == nil {
			return at.UTC(), nil
		}
	}
	return nil, errors.New("no date")
}

// oneLine takes the drawing of the place off an error of the language.
func oneLine(err error) error {
	var f *file.Error
	if errors.As(err, &f) {
		return fmt.Errorf("%s (%d:%d)", strings.ReplaceAll(f.Message, "\n", " "), f.Line, f.Column+1)
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(first)
}

// answer evaluates the expression for an event. What it makes of values is its own affair and no error: the outcome
// says where it failed. nil, which a member of what is not there is, does not hold.
func (e *expression) answer(a *asked) (outcome, error) {
	variables, err := a.variables(e.names)
	if err != nil {
		return outcome{}, err
	}
	result, err := e.vm.Run(e.program, variables)
	holds, ok := result.(bool)
	o := outcome{holds: holds, failed: err != nil || !ok && result != nil}
	var f *file.Error
	if errors.As(err, &f) {
		o.at = Position{f.Line, f.Column + 1}
	}
	return o, nil
}

// nilSafe makes every member access, and call of a method, one that gives nil on nil.
type nilSafe struct{ calls int }

// Visit implements ast.Visitor.
func (n *nilSafe) Visit(node *ast.Node) {
	switch at := (*node).(type) {
	case *ast.MemberNode:
		if !at.Optional {
			at.Optional = true
			ast.Patch(node, &ast.ChainNode{Node: at})
		}
	case *ast.CallNode:
		n.call(node, at)
	}
}

// call makes a.b(c) what `let x = a; x == nil ? nil : x.b(c)` is: the language's own a?.b(c) leaves c on its stack when
// a is nil.
func (n *nilSafe) call(node *ast.Node, call *ast.CallNode) {
	callee := call.Callee
	if chain, ok := callee.(*ast.ChainNode); ok {
		callee = chain.Node
	}
	member, ok := callee.(*ast.MemberNode)
	if !ok {
		return
	}
	n.calls++
	name := fmt.Sprintf("receiver %d", n.calls) // no name that a text can have
	receiver := member.Node
	member.Node, member.Optional = &ast.IdentifierNode{Value: name}, false
	call.Callee = member
	ast.Patch(node, &ast.VariableDeclaratorNode{Name: name, Value: receiver, Expr: &ast.ConditionalNode{
		Cond: &ast.BinaryNode{Operator: "==", Left: &ast.IdentifierNode{Value: name}, Right: &ast.NilNode{}},
		Exp1: &ast.NilNode{}, Exp2: call}})
}
