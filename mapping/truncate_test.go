package mapping

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"bluetap/capture"
	"bluetap/internal/racetest"
	"bluetap/internal/store"
)

// truncation yields the operations as a transaction does; "!tags" is a TRUNCATE.
func (w *world) truncation(texts ...string) iter.Seq2[capture.Change, error] {
	return func(yield func(capture.Change, error) bool) {
		for _, text := range texts {
			c := capture.Change{Op: capture.Truncate, Relation: w.relations[text[1:]]}
			if text[0] != '!' {
				c = w.change(text)
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// TestTruncate empties a table, in memory and on disk: what was there, what the transaction brought, and what it
// brought after a first TRUNCATE, which costs no more than that.
func TestTruncate(t *testing.T) {
	racetest.SkipOneByOne(t)
	const n = 500
	large := largeKeys()
	for _, c := range []struct {
		name    string
		changes []string
		most    int // rows looked at
		left    string
	}{
		{"once", []string{"!tags"}, n, "[]"},
		{"once, of what came", []string{"+tags id=new title=T project_id=web", "-tags id=m1", "!tags"}, n + 1, "[]"},
		{"twice", []string{"!tags", "!tags"}, n, "[]"},
		{"again and again", []string{"!tags", "+tags id=new title=T project_id=web", "!tags", "!tags",
			"+tags id=m1 title=Tag project_id=web", "!tags"}, n + 2, "[]"},
		{"and filled again", []string{"!tags", "+tags id=m1 title=Tag project_id=web", "!tags",
			"+tags id=new title=T project_id=web"}, n + 1, "[new]"},
		{"large keys", slices.Concat(large, []string{"!tags"}), n + len(large), "[]"},
		{"large keys since", slices.Concat([]string{"!tags", "+tags id=m1 title=Tag project_id=web"}, large,
			[]string{"!tags"}), n + len(large) + 1, "[]"},
	} {
		for _, budget := range []int64{256 << 20, 1} {
			t.Run(fmt.Sprint(c.name, budget), func(t *testing.T) {
				w := newWorld(t)
				w.apply(many(n, "+tags id=m%d title=Tag project_id=web"), func(*Event) {})
				after, rows := w.store.NewOverlay(budget), 0
				err := w.mapper.Net(after, w.truncation(c.changes...), func(n int) error { rows += n; return nil })
				if err != nil {
					t.Fatal(err)
				}
				if rows > c.most {
					t.Errorf("%d rows looked at, want %d", rows, c.most)
				}
				if left := w.left(after); left != c.left || after.Rows() < n {
					t.Errorf("rows %.100s are left, want %s; %d were set", left, c.left, after.Rows())
				}
			})
		}
	}
}

// largeKeys are tags whose keys are more than is held at a time.
func largeKeys() (texts []string) {
	long := strings.Repeat("x", sinceBudget)
	for i := range truncateBudget/sinceBudget + 2 {
		texts = append(texts, fmt.Sprintf("+tags id=%d%s title=T project_id=web", i, long))
	}
	return texts
}

// left are the keys of the tags that were set and are there.
func (w *world) left(after *store.Overlay) string {
	left := []string{}
	for change, err := range after.ChangesOf(uint8(Tag), "") {
		if err != nil {
			w.t.Fatal(err)
		}
		if change.After != nil {
			left = append(left, change.Key)
		}
	}
	return fmt.Sprint(left)
}

// TestTruncateStops when it is told to.
func TestTruncateStops(t *testing.T) {
	w := newWorld(t)
	w.apply(many(500, "+tags id=m%d title=Tag project_id=web"), func(*Event) {})
	enough, rows := errors.New("enough"), 0
	err := w.mapper.Net(w.store.NewOverlay(1<<20), w.truncation("!tags"), func(n int) error {
		if rows += n; rows == 7 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || rows != 7 {
		t.Errorf("Net ended after %d rows with %v", rows, err)
	}
}
