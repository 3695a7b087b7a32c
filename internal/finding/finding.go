// Package finding is the vocabulary of `bluetap check`: what was looked at, what was found, and what mends it.
package finding

import "slices"

// Severity says what a finding means for a run.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // `bluetap run` would fail, or the application be harmed
	Warning Severity = "warning" // it would run, and something will hurt one day
	OK      Severity = "ok"      // as it should be, or good to know
)

// Finding is one thing that was looked at.
type Finding struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	// Subject is what it is about where there are several: a table, an entity, a webhook's id, a place in the file. "" is
	// the server, or the one thing that Code names.
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text"` // one sentence, without its full stop
	// Next is the command that mends it, on one line; "" where there is nothing to mend, or no command does.
	Next string `json:"next,omitempty"`
}

// Passed says that something is as it should be.
func Passed(code Code, text string) Finding { return Finding{Code: code, Severity: OK, Text: text} }

// Warn says what will hurt one day, and what mends it.
func Warn(code Code, text, next string) Finding {
	return Finding{Code: code, Severity: Warning, Text: text, Next: next}
}

// Fail says why a run would fail or the application be harmed, and what mends it.
func Fail(code Code, text, next string) Finding {
	return Finding{Code: code, Severity: Error, Text: text, Next: next}
}

// About returns f with its subject.
func (f Finding) About(subject string) Finding {
	f.Subject = subject
	return f
}

// Count returns how many findings have the severity.
func Count(findings []Finding, s Severity) int {
	n := 0
	for _, f := range findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// Sort brings findings into the order of Codes, and leaves those of one code as they are.
func Sort(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int { return a.Code.rank() - b.Code.rank() })
}
