//go:build unix

package capture

import (
	"errors"
	"testing"
)

// TestRewrite holds that a table that was rewritten after the slot was made is not copied as empty.
func TestRewrite(t *testing.T) {
	s := newSource(t, schema+"INSERT INTO a VALUES (1); INSERT INTO p VALUES (1), (11)")
	s.cfg.Slot = "copy"
	for _, c := range []struct {
		sql  string
		want error
	}{
		{"INSERT INTO a VALUES (2); ALTER TABLE a ADD x int", nil},
		{"TRUNCATE a", errRewritten},
		{"ALTER TABLE a ALTER n TYPE text", errRewritten},
		{"TRUNCATE p1", errRewritten},
		{"INSERT INTO p VALUES (2)", nil},
		{"ALTER TABLE p DETACH PARTITION p2", errRewritten},
	} {
		snapshot := s.snapshot(t)
		s.Exec(t, "postgres", c.sql)
		copied := &rows{m: map[string]string{}}
		err := snapshot.Copy(t.Context(), s.start.Tables, 1, func() (Sink, error) { return copied, nil })
		if !errors.Is(err, c.want) || err != nil && (!Retryable(err) || len(copied.m) > 0) {
			t.Errorf("%s: %v", c.sql, err)
		}
		if err := snapshot.Close(); err != nil {
			t.Error(err)
		}
		made := Made{Source: snapshot.Source, Point: snapshot.ConsistentPoint}
		if err := DropUnreadSlot(t.Context(), s.cfg, made); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUnknownTable holds that a table that CreateSnapshot was not told of is not copied unchecked, nor for ever.
func TestUnknownTable(t *testing.T) {
	s := newSource(t, schema)
	s.cfg.Slot = "copy"
	snapshot := s.snapshot(t)
	defer snapshot.Close()
	clear(snapshot.files)
	err := snapshot.Copy(t.Context(), s.start.Tables, 1, func() (Sink, error) { return sickSink{}, nil })
	if err == nil || Retryable(err) {
		t.Errorf("error %v", err)
	}
}
