//go:build unix

package capture

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"bluetap/internal/hint"
	"bluetap/internal/pgserver"
)

func (s *source) membership(t *testing.T) map[uint32]uint32 {
	t.Helper()
	members, err := Membership(t.Context(), s.cfg, s.start.Tables)
	if err != nil {
		t.Fatal(err)
	}
	if members == nil {
		t.Fatal("membership is nil, which means that it is not checked")
	}
	return members
}

// TestMembership holds that a table that was out of the publication for a while is a gap, at a look and at the next
// connection.
func TestMembership(t *testing.T) {
	s := newSource(t, schema)
	s.start.Membership = s.membership(t)
	check := func(known map[uint32]uint32) error {
		return CheckMembership(t.Context(), s.cfg, s.start.Tables, known)
	}
	entries := slices.Collect(maps.Values(s.start.Membership))
	if err := check(s.start.Membership); err != nil || len(entries) != len(s.start.Tables) || slices.Contains(entries, 0) {
		t.Fatalf("membership %v, error %v", s.start.Membership, err)
	}
	r := s.run(t)
	s.Exec(t, "postgres", "INSERT INTO a VALUES (1)")
	r.next(t)
	s.Exec(t, "postgres", `ALTER PUBLICATION "Tap it" DROP TABLE a`)
	var pub *PublicationError
	if err := check(s.start.Membership); !errors.As(err, &pub) || !strings.Contains(pub.Reason, "lacks") {
		t.Errorf("table taken out: %v", err)
	}
	s.Exec(t, "postgres", `ALTER PUBLICATION "Tap it" ADD TABLE a`)
	if err := check(nil); err != nil {
		t.Errorf("nothing to compare with: %v", err)
	}
	s.TerminateWalsenders(t)
	for name, err := range map[string]error{"look": check(s.start.Membership), "stream": r.failed(t)} {
		var gap *GapError
		if !errors.As(err, &gap) || !strings.Contains(gap.Reason, `"a" was taken out`) || hint.Of(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.Exec(t, "postgres", `DROP PUBLICATION "Tap it"`)
	if err := check(nil); !errors.As(err, &pub) {
		t.Errorf("no publication: %v", err)
	}
	s.Stop(t, pgserver.Fast)
	if err := check(nil); !Retryable(err) {
		t.Errorf("no server: %v", err)
	}
}

// TestMembershipOfAll holds that a publication of all tables names none, and one that does is another thing.
func TestMembershipOfAll(t *testing.T) {
	s := newSource(t, schema)
	named := s.membership(t)
	s.Exec(t, "postgres", `DROP PUBLICATION "Tap it";
		CREATE PUBLICATION "Tap it" FOR ALL TABLES WITH (publish_via_partition_root = true)`)
	all := s.membership(t)
	if len(all) != 0 {
		t.Errorf("membership %v", all)
	}
	for _, c := range []struct {
		known map[uint32]uint32
		want  error
	}{{all, nil}, {named, ErrGap}} {
		if err := CheckMembership(t.Context(), s.cfg, s.start.Tables, c.known); !errors.Is(err, c.want) {
			t.Errorf("known %v: %v", c.known, err)
		}
	}
}

// TestTableGone holds that a table that was dropped or renamed is not called one that the publication lacks.
func TestTableGone(t *testing.T) {
	s := newSource(t, schema)
	for _, c := range []struct{ sql, reason string }{
		{"ALTER TABLE a RENAME TO b", `table "public"."a" was renamed to "public"."b"`},
		{"CREATE SCHEMA x; ALTER TABLE b RENAME TO a; ALTER TABLE a SET SCHEMA x",
			`table "public"."a" was renamed to "x"."a"`},
		{"DROP TABLE x.a; CREATE TABLE a (id int PRIMARY KEY)", `table "public"."a" was dropped`},
	} {
		s.Exec(t, "postgres", c.sql)
		err := s.run(t).failed(t)
		var pub *PublicationError
		if !errors.As(err, &pub) || pub.Reason != c.reason || hint.Of(err) != "start bluetap again" {
			t.Errorf("%s: %v, hint %q", c.sql, err, hint.Of(err))
		}
	}
}
