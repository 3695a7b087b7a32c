package mapping

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"bluetap/internal/racetest"
)

// limitTables have rows that may be soft-deleted.
var limitTables = func() [][]string {
	tables := slices.Clone(worldTables)
	for i, columns := range tables {
		switch columns[0] {
		case "todos", "todo_users", "todo_custom_fields", "todo_custom_field_options", "custom_field_options":
			tables[i] = append(slices.Clone(columns), "deleted_at:time")
		}
	}
	return tables
}()

// TestLimitsChangeNothing has owners that are held, that are gone through, and that are gone through a row at a time:
// the events are the same, in the same order.
func TestLimitsChangeNothing(t *testing.T) {
	racetest.SkipOneByOne(t)
	for seed := range uint64(8) {
		var want []string
		for _, limits := range []struct{ most, window int }{
			{fewRows, windowSize}, {0, windowSize}, {0, 1}, {2, 3 * windowEntry}, {1, 6 * windowEntry},
		} {
			w := newWorldOf(t, limitTables, nil)
			w.mapper.most, w.mapper.window = limits.most, limits.window
			var got []string
			r := newRandomWork(seed)
			for range 60 {
				w.apply(slices.Values(r.transaction()), func(e *Event) {
					got = append(got, fmt.Sprint(w.end, " ", e.Type, " ", e.Key, " ", e.Pair))
				})
			}
			if want == nil {
				want = got
				t.Logf("seed %d: %d events, %x", seed, len(got), sha256.Sum256(fmt.Append(nil, got)))
			}
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d, limits %+v:\n%q, want\n%q", seed, limits, got, want)
			}
		}
	}
}

// randomWork makes transactions about few owners and pairs.
type randomWork struct {
	*rand.Rand
	rows map[string]bool // by table and id
}

func newRandomWork(seed uint64) *randomWork {
	return &randomWork{rand.New(rand.NewPCG(seed, 0)), map[string]bool{}}
}

// randomRows are what a row of a table may look like; each %d is one of few numbers.
var randomRows = []struct{ table, columns string }{
	{"todos", "title=T%d todo_list_id=l%d"},
	{"custom_fields", "name=N%d project_id=p%d"},
	{"custom_field_options", "title=O%d custom_field_id=%d"},
	{"todo_users", "todo_id=%d user_id=u%d"},
	{"todo_tags", "todo_id=%d tag_id=g%d"},
	{"todo_custom_fields", "number=%d todo_id=%d custom_field_id=%d"},
	{"todo_custom_field_options", "todo_custom_field_id=%d custom_field_option_id=o%d"},
	{"todo_users", "todo_id=%d user_id=u%d deleted_at=2026-05-01_00:00:00+00"},
	{"todo_custom_fields", "number=%d todo_id=%d custom_field_id=%d deleted_at=2026-05-01_00:00:00+00"},
	{"custom_field_options", "title=O%d custom_field_id=%d deleted_at=2026-05-01_00:00:00+00"},
}

func (r *randomWork) transaction() []string {
	var texts []string
	for range 1 + r.IntN(12) {
		row := randomRows[r.IntN(len(randomRows))]
		ids := 12
		if row.table == "todos" || row.table == "custom_fields" {
			ids = 3
		}
		id := fmt.Sprintf("%s id=%d", row.table, r.IntN(ids))
		numbers := []any{r.IntN(3), r.IntN(3), r.IntN(3)}
		columns := fmt.Sprintf(row.columns, numbers[:countVerbs(row.columns)]...)
		switch {
		case !r.rows[id]:
			texts = append(texts, "+"+id+" "+columns)
			r.rows[id] = true
		case r.IntN(3) > 0:
			texts = append(texts, "~"+id+" "+columns)
		default:
			texts = append(texts, "-"+id)
			r.rows[id] = false
		}
	}
	return texts
}

func countVerbs(format string) (n int) {
	for i := range format {
		if format[i] == '%' {
			n++
		}
	}
	return n
}
