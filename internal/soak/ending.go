//go:build unix

package soak

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// late wants nothing to come after all was at rest and the daemon has ended.
func (r *run) late() error {
	before := len(r.told)
	got, wrong := r.stage.receiver.take()
	r.told = append(r.told, wrong...)
	for id, all := range got {
		for _, a := range all {
			r.told = append(r.told, fmt.Sprintf("%s: %s %s, attempt %s, came when all had been delivered", id, a.event, a.id,
				a.attempt))
		}
	}
	if len(r.told) == before {
		return nil // and the evidence of what was told before stays
	}
	return r.evidence(nil, got)
}

// diverged wants no daemon to have seen its mirror contradict the stream: not those either that were killed since, of
// which only the log is left.
func (r *run) diverged() error {
	lines, end, err := divergences(r.stage.install.log, r.logged)
	if err != nil {
		return fmt.Errorf("search the log: %w", err)
	}
	r.logged = end
	for _, l := range lines {
		r.checker.violate(0, nil, "the mirror is not what the stream says: %s", l)
	}
	return nil
}

// divergences returns the lines of a log that tell of one, and where its last whole line ends.
func divergences(path string, from int64) (lines []string, end int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, from, err
	}
	defer file.Close()
	log, err := io.ReadAll(io.NewSectionReader(file, from, 1<<40))
	if err != nil {
		return nil, from, err
	}
	log = log[:bytes.LastIndexByte(log, '\n')+1]
	for l := range bytes.Lines(log) {
		var record struct{ Msg string }
		if json.Unmarshal(l, &record) == nil && record.Msg == "mirror and stream diverge" {
			lines = append(lines, string(bytes.TrimSpace(l)))
		}
	}
	return lines, from + int64(len(log)), nil
}
