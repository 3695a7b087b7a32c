//go:build unix

package capture

import (
	"errors"
	"strings"
	"testing"

	"bluetap/internal/hint"
)

func (s *source) hasSlot(t *testing.T) bool {
	t.Helper()
	exists, err := SlotExists(t.Context(), s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	return exists
}

// foreignSlots are slots that must not be dropped: by what is known of ours, or by what the slot is.
var foreignSlots = []struct {
	name  string
	spoil func(made *Made)
	slot  string // made instead of ours
	db    string
	want  error
}{
	{name: "another system", spoil: func(m *Made) { m.Source.SystemID = "1" }, want: ErrWrongSource},
	{name: "another database", spoil: func(m *Made) { m.Source.DatabaseOID++ }, want: ErrWrongSource},
	{name: "no database", spoil: func(m *Made) { m.Source = Identity{} }, want: ErrWrongSource},
	{name: "point", spoil: func(m *Made) { m.Point++ }, want: ErrForeignSlot},
	{name: "older", spoil: func(m *Made) { m.Point, m.After = 0, m.Point+1 }, want: ErrForeignSlot},
	{name: "plugin", slot: "pg_create_logical_replication_slot('odd', 'test_decoding')", want: ErrForeignSlot},
	{name: "physical", slot: "pg_create_physical_replication_slot('odd', true)", want: ErrForeignSlot},
	{name: "database", slot: "pg_create_logical_replication_slot('odd', 'pgoutput')", db: "other", want: ErrForeignSlot},
}

// TestForeignSlot holds that no slot but the one that was made here is dropped.
func TestForeignSlot(t *testing.T) {
	s := newSource(t, schema)
	s.CreateDB(t, "other")
	for _, c := range foreignSlots {
		t.Run(c.name, func(t *testing.T) {
			mine, made := *s, Made{Source: s.start.Source, Point: s.start.Position}
			if c.slot != "" {
				mine.cfg.Slot, made.Point = "odd", 0
				db := "postgres"
				if c.db != "" {
					db = c.db
				}
				s.Exec(t, db, "SELECT "+c.slot)
				defer s.Exec(t, db, "SELECT pg_drop_replication_slot('odd')")
			} else {
				c.spoil(&made)
			}
			err := DropUnreadSlot(t.Context(), mine.cfg, made)
			if !errors.Is(err, c.want) || Retryable(err) || hint.Of(err) == "" {
				t.Errorf("error %v, hint %q", err, hint.Of(err))
			}
			if errors.Is(c.want, ErrForeignSlot) && !strings.Contains(hint.Of(err), "pg_drop_replication_slot('"+mine.cfg.Slot) {
				t.Errorf("hint %q", hint.Of(err))
			}
			if !mine.hasSlot(t) {
				t.Error("dropped")
			}
		})
	}
}

// TestDropUnreadSlot holds that our own slot is dropped while nobody has read it, and not while or after somebody did.
func TestDropUnreadSlot(t *testing.T) {
	s := newSource(t, schema)
	made := Made{Source: s.start.Source, Point: s.start.Position}
	made.Source.Timeline, made.Source.FlushLSN = 9, 9
	r := s.run(t)
	until(t, "connected", func() bool { return r.Status().Connected })
	err := DropUnreadSlot(t.Context(), s.cfg, made)
	if active := new(slotActiveError); !errors.As(err, &active) || !Retryable(err) {
		t.Errorf("slot in use: %v", err)
	}
	r.halt(t)
	until(t, "dropped", func() bool {
		err := DropUnreadSlot(t.Context(), s.cfg, made)
		if err != nil && !Retryable(err) {
			t.Fatal(err)
		}
		return err == nil
	})
	if s.hasSlot(t) {
		t.Error("not dropped")
	}
	if err := DropUnreadSlot(t.Context(), s.cfg, made); err != nil {
		t.Errorf("no slot: %v", err)
	}
	before, err := Identify(t.Context(), s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, confirm := range []bool{false, true} {
		if err := s.snapshot(t).Close(); err != nil {
			t.Fatal(err)
		}
		if confirm {
			r := s.run(t)
			s.Exec(t, "postgres", "INSERT INTO a VALUES (1)")
			tx := r.next(t)
			until(t, "confirmed", func() bool { return s.flushed(t) == tx.End })
			made = Made{Source: s.start.Source, Point: s.start.Position}
			if err := DropUnreadSlot(t.Context(), s.cfg, made); !errors.Is(err, ErrForeignSlot) || Retryable(err) {
				t.Errorf("slot that is being read: %v", err)
			}
			r.halt(t)
		} else {
			made = Made{Source: before, After: before.FlushLSN}
		}
		err := DropUnreadSlot(t.Context(), s.cfg, made)
		if errors.Is(err, ErrForeignSlot) != confirm || s.hasSlot(t) != confirm {
			t.Errorf("read %t: %v", confirm, err)
		}
	}
}

// TestSlotExists holds that a name that is taken can be told from other failures.
func TestSlotExists(t *testing.T) {
	s := newSource(t, schema)
	_, err := CreateSnapshot(t.Context(), s.cfg, s.start.Tables)
	if !errors.Is(err, ErrSlotExists) || Retryable(err) {
		t.Errorf("error %v", err)
	}
}
