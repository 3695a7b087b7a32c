//go:build unix

package capture

import (
	"strings"
	"testing"
)

// TestInterleaved stops and goes on amid a transaction that began before the stored position and ends after it, then
// with rows that Postgres logged in one record: each comes whole, and once.
func TestInterleaved(t *testing.T) {
	s := newSource(t, schema)
	long := s.Conn(t, "postgres").PgConn()
	exec := func(sql string) {
		t.Helper()
		if _, err := long.Exec(t.Context(), sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	r := s.run(t)
	exec("BEGIN; INSERT INTO a VALUES (1)")
	s.Exec(t, "postgres", "INSERT INTO a VALUES (2)")
	first := r.next(t)
	if got := changes(t, first); got != "insert a - -> ('2', null, null)" {
		t.Fatalf("got %s", got)
	}
	r.halt(t)
	s.start.Position = first.End
	exec("INSERT INTO a VALUES (3); COMMIT")
	s.Exec(t, "postgres", "COPY a (id) FROM STDIN;\n4\n5\n6\n\\.\n")
	s.Exec(t, "postgres", "INSERT INTO a VALUES (7), (8)")
	r = s.run(t)
	for _, ids := range []string{"13", "456", "78"} {
		var want []string
		for _, id := range strings.Split(ids, "") {
			want = append(want, "insert a - -> ('"+id+"', null, null)")
		}
		tx := r.next(t)
		if got := changes(t, tx); got != strings.Join(want, "\n") {
			t.Errorf("got:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
		}
		r.halt(t)
		s.start.Position = tx.End
		r = s.run(t)
	}
}
