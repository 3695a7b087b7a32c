package daemon

import "testing"

// TestForecastRest asks what is left of a transaction over two tables of 1000 and 100 rows.
func TestForecastRest(t *testing.T) {
	for name, c := range map[string]struct {
		rows          [2]int
		took          [2]int64
		sure, unknown int64
	}{
		"most of one":              {[2]int{800, 0}, [2]int64{80_000, 0}, 20_000, 5_000},
		"all of one":               {[2]int{1000, 0}, [2]int64{100_000, 0}, 0, 5_000},
		"both begun":               {[2]int{600, 50}, [2]int64{60_000, 500}, 40_500, 0},
		"large first rows":         {[2]int{10, 0}, [2]int64{1_000_000, 0}, 1_000_000, 98_000_000 + 5_000_000},
		"rows that make no events": {[2]int{1000, 10}, [2]int64{100_000, 0}, 0, 0},
		"all":                      {[2]int{1000, 100}, [2]int64{100_000, 1_000}, 0, 0},
		"more than was counted":    {[2]int{1010, 100}, [2]int64{101_000, 1_000}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := forecast{total: &[256]int{1000, 100}}
			copy(f.rows[:], c.rows[:])
			copy(f.took[:], c.took[:])
			if sure, unknown := f.rest(); sure != c.sure || unknown != c.unknown {
				t.Errorf("got %d sure, %d unknown, want %d, %d", sure, unknown, c.sure, c.unknown)
			}
		})
	}
}
