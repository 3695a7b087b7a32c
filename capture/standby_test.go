//go:build unix

package capture

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"bluetap/internal/finding"
	"bluetap/internal/pgserver"
)

// demote makes the server a standby.
func (s *source) demote(t *testing.T) {
	t.Helper()
	dir := s.Exec(t, "postgres", "SHOW data_directory")
	s.Stop(t, pgserver.Fast)
	if err := os.WriteFile(filepath.Join(dir, "standby.signal"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s.Start(t)
}

// promote makes the server go on with another timeline, as a standby does that takes over.
func (s *source) promote(t *testing.T) {
	t.Helper()
	s.demote(t)
	s.Exec(t, "postgres", "SELECT pg_promote()")
}

// TestStandby holds that a standby is waited for and nothing is concluded from what it lacks.
func TestStandby(t *testing.T) {
	s := newSource(t, schema)
	s.demote(t)
	early := *s
	early.start.Received = s.start.Position * 2 // as if the standby lagged
	running := []*running{s.run(t), early.run(t)}
	for _, r := range running {
		until(t, "standby found", func() bool { return errors.Is(r.Status().LastError, errStandby) })
	}
	running[1].halt(t)
	_, create := CreateSnapshot(t.Context(), s.cfg, s.start.Tables)
	for name, err := range map[string]error{
		"ensure": EnsurePublication(t.Context(), s.cfg, s.start.Tables),
		"create": create,
		"drop":   DropUnreadSlot(t.Context(), s.cfg, Made{}),
		"look":   CheckMembership(t.Context(), s.cfg, s.start.Tables, nil),
	} {
		if !errors.Is(err, errStandby) || !Retryable(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantFinding(t, Inspect(t.Context(), s.cfg, Inspection{}), finding.Error, finding.Standby, "a standby", "primary")
	s.Exec(t, "postgres", "SELECT pg_promote()")
	s.Exec(t, "postgres", "INSERT INTO a VALUES (1)")
	if got := changes(t, running[0].next(t)); got != "insert a - -> ('1', null, null)" {
		t.Errorf("after the promotion: %s", got)
	}
}
