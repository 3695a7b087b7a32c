//go:build unix

package soak

// largeTransaction is from how many bytes of the audit on a transaction may have been staged, which orders its events
// otherwise.
const largeTransaction = 1 << 20

// unordered tells whether the order of events within a transaction is another than that of its changes.
func (c *commit) unordered() bool {
	for _, ch := range c.changes {
		if ch.op == 'T' {
			return true
		}
	}
	return c.size > largeTransaction
}

// turn is the place of an event in its transaction: of its row in the log, and of the event in the catalogue.
type turn struct{ place, event int }

func (t turn) before(other turn) bool {
	return t.place < other.place || t.place == other.place && t.event < other.event
}

// turn returns the first turn that the event may have and that is not before another; none if there is none.
func (d *due) turn(from turn) (turn, bool) {
	for _, place := range d.places {
		if t := (turn{place, catalogue[d.name]}); !t.before(from) {
			return t, true
		}
	}
	return turn{}, false
}

// latest is what a record sent last.
type latest struct {
	*arrival
	turn turn
}

// order wants the first deliveries of each record in the order of commits, and those of one commit in the order of its
// changes.
func (c *checker) order(s *stretch, h *hook, firsts []*arrival) {
	last := map[string]latest{}
	for _, a := range firsts {
		d := s.find(a)
		if d == nil {
			continue
		}
		for _, record := range d.records {
			before, known := last[record]
			now := latest{arrival: a, turn: turn{place: -1}}
			switch {
			case !known || before.lsn < a.lsn:
				now.turn, _ = d.turn(now.turn)
			case before.lsn > a.lsn:
				c.violate(before.lsn, []string{record}, "%s: %s of commit %X came after %s of commit %X, of the same record %s",
					h.id, a.event, a.lsn, before.event, before.lsn, record)
				continue
			default:
				t, ok := d.turn(before.turn)
				if now.turn = t; !ok && !s.of[a.lsn].unordered() {
					c.violate(a.lsn, []string{record}, "%s: %s came after %s, of the same commit %X and record %s, which is not the "+
						"order of its changes", h.id, a.event, before.event, a.lsn, record)
				}
			}
			last[record] = now
		}
	}
}
