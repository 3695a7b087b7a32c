//go:build unix

package soak

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// toldWhole is how many violations are told with their history; the others are one line each.
const toldWhole = 3

// tell moves the checker's violations to the result: the first with the shortest history that shows them. What they are
// taken from is written to the directory.
func (r *run) tell(s *stretch, got map[string][]*arrival) {
	slices.SortStableFunc(r.checker.violations, func(a, b violation) int { return cmp.Compare(a.lsn, b.lsn) })
	for i, v := range r.checker.violations {
		what := v.what
		if i < toldWhole {
			what += r.history(s, got, v)
		}
		r.told = append(r.told, what)
	}
	r.checker.violations = nil
	if err := r.evidence(s, got); err != nil {
		r.told = append(r.told, fmt.Sprintf("the evidence could not be written: %v", err))
	}
}

// line is one moment of a history.
type line struct {
	at   time.Time
	text string
}

// history is what the rows of a violation lived through up to it, in the order of commits, with the faults in between
// and the deliveries.
func (r *run) history(s *stretch, got map[string][]*arrival, v violation) string {
	if len(v.records) == 0 {
		return r.circumstances()
	}
	lines := append(s.happened(v), s.delivered(got, v)...)
	if len(lines) == 0 {
		return ""
	}
	byTime := func(a, b line) int { return a.at.Compare(b.at) }
	from, to := slices.MinFunc(lines, byTime).at.Add(-time.Second), slices.MaxFunc(lines, byTime).at.Add(time.Second)
	for _, f := range r.log {
		if f.at.After(from) && f.at.Before(to) {
			lines = append(lines, line{f.at, "fault: " + f.name})
		}
	}
	slices.SortStableFunc(lines, byTime)
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "\n    %s %s", l.at.UTC().Format("15:04:05.000000"), l.text)
	}
	return b.String()
}

// happened tells of the changes that matter for a violation.
func (s *stretch) happened(v violation) (lines []line) {
	for _, record := range v.records {
		for _, t := range s.touched[record] {
			if v.lsn > 0 && t.commit.end > v.lsn {
				break
			}
			for _, c := range t.changes {
				if v.concerns(t.commit, c) {
					lines = append(lines, line{t.commit.at, fmt.Sprintf("commit %X of %s: %s", t.commit.end, record, c)})
				}
			}
		}
	}
	return lines
}

// delivered tells of what came of a violation's records up to it.
func (s *stretch) delivered(got map[string][]*arrival, v violation) (lines []line) {
	of := func(record string) bool { return slices.Contains(v.records, record) }
	for id, all := range got {
		if v.hook != "" && id != v.hook {
			continue
		}
		for _, a := range all {
			if a.lsn <= v.lsn && slices.ContainsFunc(s.recordsOf(a), of) {
				lines = append(lines, line{a.at, fmt.Sprintf("%s got %s %s, attempt %s, answered %s", id, a.event, a.id, a.attempt,
					a.answer)})
			}
		}
	}
	return lines
}

// String tells of a change what differs.
func (c change) String() string {
	names := map[byte]string{'I': "INSERT", 'U': "UPDATE", 'D': "DELETE", 'T': "TRUNCATE"}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", names[c.op], c.table)
	switch c.op {
	case 'U':
		fmt.Fprintf(&b, " %s", c.old.id())
		for column, is := range c.new {
			if was := c.old[column]; fmt.Sprint(was) != fmt.Sprint(is) {
				fmt.Fprintf(&b, " %s: %.60q -> %.60q", column, fmt.Sprint(was), fmt.Sprint(is))
			}
		}
	case 'I':
		document, _ := json.Marshal(c.new)
		fmt.Fprintf(&b, " %.400s", document)
	case 'D':
		fmt.Fprintf(&b, " %s", c.old.id())
	}
	return b.String()
}

// The files of a failure, beside the configuration, the daemon's log and its state.
const (
	auditFile      = "audit.jsonl"
	deliveriesFile = "deliveries.jsonl"
	faultsFile     = "faults.txt"
)

// evidence writes down a stretch: the audit in the order of commits, what was delivered, the faults.
func (r *run) evidence(s *stretch, got map[string][]*arrival) error {
	var audit, deliveries, faults strings.Builder
	if s != nil {
		for _, tx := range s.commits {
			for _, c := range tx.changes {
				writeLine(&audit, map[string]any{"commit": fmt.Sprintf("%X", tx.end), "at": tx.at, "table": c.table,
					"op": string(c.op), "old": c.old, "new": c.new})
			}
		}
	}
	for id, all := range got {
		for _, a := range all {
			writeLine(&deliveries, map[string]any{"webhook": id, "id": a.id, "event": a.event, "attempt": a.attempt,
				"at": a.at, "answer": a.answer, "values": json.RawMessage(*a.values)})
		}
	}
	for _, f := range r.log {
		fmt.Fprintf(&faults, "%s %s\n", f.at.UTC().Format(time.RFC3339Nano), f.name)
	}
	for name, b := range map[string]*strings.Builder{auditFile: &audit, deliveriesFile: &deliveries, faultsFile: &faults} {
		if err := os.WriteFile(r.path(name), []byte(b.String()), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func writeLine(b *strings.Builder, document map[string]any) {
	encoded, err := json.Marshal(document)
	if err != nil {
		encoded = []byte(err.Error())
	}
	b.Write(encoded)
	b.WriteByte('\n')
}
