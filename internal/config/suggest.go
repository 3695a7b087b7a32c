package config

import "strings"

// suggest returns "; did you mean X?" for the one of known that name was probably meant to be, or "".
func suggest(name string, known []string) string {
	near := 1 // slips; in a short word, two would make it another
	if len(name) > 4 {
		near = 2
	}
	best, least, name := "", near+1, plain(name)
	for _, k := range known {
		if d := distance(name, plain(k), least); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// plain makes max_in_flight and maxInFlight the same.
func plain(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(name), "_", ""), "-", "")
}

// distance is the number of letters to change, add or take away to get from a to b, or limit if it is not less.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			step := corner
			if a[i] != b[j] {
				step = 1 + min(corner, row[j], row[j+1])
			}
			corner, row[j+1] = row[j+1], step
		}
	}
	return row[len(b)]
}
