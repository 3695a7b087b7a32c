//go:build unix

package soak

import (
	"fmt"
	"slices"
)

// violation is a broken promise, in words, and where to look.
type violation struct {
	what    string
	records []string // whose history shows it
	rows    []place  // of these, all that matters; nil: all rows
	lsn     uint64   // of the transaction, 0 if none
	hook    string   // of the webhook, "" if it is about all
}

// checker compares what receivers got with what the truth says. It takes one stretch of the history after another, and
// remembers of those before no more than it needs.
type checker struct {
	world  *world
	hooks  []*hook
	begins uint64 // commits before it are in the first snapshot and fire nothing

	recent     []map[string]*arrival // by hook and id, of the last stretches: the last attempt
	chains     map[string]chained    // of the first hook, by entity and id
	identities *identities
	lives      *lives
	odd        odd
	totals     Totals
	coverage   Coverage
	comparing  string // the hook that is looked at, "" if none
	violations []violation
}

// Totals are counted over the whole history.
type Totals struct {
	Transactions int // committed, by the audit
	Events       int // delivered, over all webhooks; each once
	Deliveries   int // attempts that came, also those that were answered with a failure
	Duplicates   int // of these, those of an event that had come before
	Unexplained  int // of these, those that had been answered, and no fault came in between
}

func newChecker(hooks []*hook) *checker {
	return &checker{world: newWorld(), hooks: hooks, chains: map[string]chained{}, identities: newIdentities(),
		lives: &lives{}, odd: odd{seconds: map[int64]bool{}, busy: map[int64]bool{}}, coverage: newCoverage()}
}

// due is an event that a transaction fires, with both its values.
type due struct {
	event
	pairs   []string       // an event for each
	places  []int          // where in the order of rows it may stand
	values  map[string]any // the document of previousValue and currentValue
	records []string
	scopes  []scope
}

// stretch is a part of the history between two moments at which nothing was under way.
type stretch struct {
	commits []*commit
	of      map[uint64]*commit // by end
	due     map[uint64][]*due  // by end of commit
	named   map[name]*due
	touched map[string][]touch
	read    map[*[]byte]map[string]any // bodies that are read already
	told    map[comparison]string
	ids     map[*due][]*arrival // one of each id, over all hooks
}

// name is all that tells events apart.
type name struct {
	lsn       uint64
	event, id string
}

// comparison is one body compared with one event.
type comparison struct {
	body *[]byte
	due  *due
}

// touch is a row of a record that a transaction changed.
type touch struct {
	commit  *commit
	changes []change
}

func newStretch(commits []*commit) *stretch {
	s := &stretch{commits: commits, of: map[uint64]*commit{}, due: map[uint64][]*due{}, named: map[name]*due{},
		touched: map[string][]touch{}, read: map[*[]byte]map[string]any{}, told: map[comparison]string{},
		ids: map[*due][]*arrival{}}
	for _, tx := range commits {
		s.of[tx.end] = tx
	}
	return s
}

// check takes the commits of a stretch, and all that has arrived in it.
func (c *checker) check(commits []*commit, got map[string][]*arrival) (*stretch, error) {
	s := newStretch(commits)
	for _, tx := range commits {
		step, err := c.world.apply(tx)
		if err != nil {
			return nil, err
		}
		c.totals.Transactions++
		c.coverage.take(tx)
		s.note(step)
		if tx.start >= c.begins {
			s.due[tx.end] = step.due()
			for _, d := range s.due[tx.end] {
				s.named[name{tx.end, d.name, d.id}] = d
			}
		}
	}
	now := map[string]*arrival{}
	for _, h := range c.hooks {
		c.compare(s, h, got[h.id], now)
	}
	c.few()
	for _, tx := range commits {
		for _, d := range s.due[tx.end] {
			c.identify(tx, d, s.ids[d])
		}
	}
	if c.recent = append(c.recent, now); len(c.recent) > 3 {
		c.recent = c.recent[1:]
	}
	return s, nil
}

// identify wants an event to have one id at all webhooks, and one that ends as it always does.
func (c *checker) identify(tx *commit, d *due, ids []*arrival) {
	if len(ids) > len(d.pairs) {
		c.violate(tx.end, d.records, "%s of %s %s in commit %X came under %d ids", d.name, d.entity, d.id, tx.end, len(ids))
		return
	}
	if wrong := c.identities.fit(d, ids); wrong != "" {
		c.violate(tx.end, d.records, "the id of %s of %s %s in commit %X %s", d.name, d.entity, d.id, tx.end, wrong)
	}
}

// note remembers which records the transaction touched, and by what changes.
func (s *stretch) note(step *step) {
	changes := map[place][]int{}
	truncated := map[string][]int{}
	for i, ch := range step.changes {
		if ch.op == 'T' {
			truncated[ch.table] = append(truncated[ch.table], i)
		}
		for _, r := range []row{ch.old, ch.new} {
			if at := (place{ch.table, r.id()}); r != nil && !slices.Contains(changes[at], i) {
				changes[at] = append(changes[at], i)
			}
		}
	}
	records := map[string][]int{}
	for _, at := range step.order {
		for _, record := range step.touched(at) {
			records[record] = append(append(records[record], changes[at]...), truncated[at.table]...)
		}
	}
	for record, all := range records {
		slices.Sort(all)
		t := touch{commit: step.commit}
		for _, i := range slices.Compact(all) {
			t.changes = append(t.changes, step.changes[i])
		}
		s.touched[record] = append(s.touched[record], t)
	}
}

// due returns the transaction's events with their values: composed now, as the world goes on.
func (s *step) due() []*due {
	before, after := s.views()
	var all []*due
	for e, f := range s.events() {
		table := entities[e.entity].table
		d := &due{event: e, pairs: f.pairs, places: f.places(), values: map[string]any{}, records: s.records(table, e.id),
			scopes: s.scopes(table, e.id)}
		was, is := before.live(table, e.id), after.live(table, e.id)
		if was != nil {
			d.values["previousValue"] = before.value(e.entity, was, false, "")
		}
		d.values["currentValue"] = after.value(e.entity, is, false, "")
		d.short()
		all = append(all, d)
	}
	return all
}

// compare checks one hook.
func (c *checker) compare(s *stretch, h *hook, got []*arrival, now map[string]*arrival) {
	c.comparing = h.id
	defer func() { c.comparing = "" }()
	c.totals.Deliveries += len(got)
	var firsts []*arrival
	for _, a := range got {
		c.odd.busy[a.at.Unix()] = true
		before := now[h.id+a.id]
		for _, stretch := range c.recent {
			if before == nil {
				before = stretch[h.id+a.id]
			}
		}
		now[h.id+a.id] = a
		if before == nil {
			firsts = append(firsts, a)
			continue
		}
		c.totals.Duplicates++
		if before.body != a.body {
			c.violate(a.lsn, s.recordsOf(a), "%s: the id %s (%s) came with two bodies", h.id, a.id, a.event)
		}
		c.repeated(s, h, before, a)
	}
	c.totals.Events += len(firsts)
	c.order(s, h, firsts)
	c.match(s, h, firsts)
	if h == c.hooks[0] {
		c.close(s, firsts)
	}
}

// match wants each event that is due as often as it is due, with its values, and no other.
func (c *checker) match(s *stretch, h *hook, firsts []*arrival) {
	counts := map[*due]int{}
	for _, a := range firsts {
		d := s.find(a)
		if d == nil {
			c.violate(a.lsn, s.recordsIn(a), "%s: %s %s was sent and no change fires it: %.300s", h.id, a.event, a.id, *a.values)
			continue
		}
		if !slices.ContainsFunc(s.ids[d], func(other *arrival) bool { return other.id == a.id }) {
			s.ids[d] = append(s.ids[d], a)
		}
		if counts[d]++; counts[d] > len(d.pairs) || !h.wants(d) {
			c.violate(a.lsn, d.records, "%s: %s of %s %s in commit %X came too often, or was not wanted", h.id, d.name, d.entity,
				d.id, a.lsn)
		}
		if at := s.of[a.lsn].at; !a.committed.Equal(at) {
			c.violate(a.lsn, d.records, "%s: %s of %s %s says that it was committed at %s, in truth %s", h.id, d.name, d.entity,
				d.id, a.committed, at)
		}
		if difference := s.difference(a, d); difference != "" {
			c.violate(a.lsn, d.records, "%s: %s of %s %s in commit %X: %s", h.id, d.name, d.entity, d.id, a.lsn, difference)
			c.about(d, difference)
		}
	}
	for _, tx := range s.commits {
		for _, d := range s.due[tx.end] {
			if n := len(d.pairs) - counts[d]; n > 0 && h.wants(d) {
				c.violate(tx.end, d.records, "%s: %s of %s %s in commit %X is missing (%d of %d)", h.id, d.name, d.entity, d.id,
					tx.end, n, len(d.pairs))
				c.about(d, "")
			}
		}
	}
}

// find returns what is due by an arrival, nil if nothing is.
func (s *stretch) find(a *arrival) *due {
	return s.named[name{a.lsn, a.event, idOf(s.document(a))}]
}

// recordsOf returns the records of an arrival, none if it is not due.
func (s *stretch) recordsOf(a *arrival) []string {
	if d := s.find(a); d != nil {
		return d.records
	}
	return nil
}

// recordsIn returns the records of what is named in an arrival that is not due.
func (s *stretch) recordsIn(a *arrival) []string {
	var found []string
	for table := range subjects {
		if record := table + "/" + idOf(s.document(a)); s.touched[record] != nil {
			found = append(found, record)
		}
	}
	return found
}

func (c *checker) violate(lsn uint64, records []string, format string, args ...any) {
	c.violations = append(c.violations, violation{what: fmt.Sprintf(format, args...), records: records, lsn: lsn,
		hook: c.comparing})
}
