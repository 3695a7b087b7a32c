package mapping

// fewRows is up to how many rows of an owner are held at a time, windowSize about how many bytes of changes are looked
// at as one. What a window finds out is counted in, at windowEntry for each change.
const (
	fewRows     = 128
	windowSize  = 16 << 20
	windowEntry = 512
)

// window is a run of changes that are all known before the first of them is mapped. Of an owner with many rows, a
// million assignees, no more is held than what is asked about the changes of one window: it is read once for all of
// them and not once for each.
type window struct {
	states  states
	budget  int // bytes
	changes []change
	size    int
	owners  map[memoKey]held // nil: nobody has asked yet
	read    map[memoKey]bool // owners of which the rows have been read
}

// held says of the pairs of one owner, those asked about, by their other side, which rows have them.
type held map[string]*holders

// holders are the keys of rows that have a pair, in their order; but for a value, which may be spread over several
// rows, the first alone.
type holders struct{ before, after []string }

// add appends a change and tells whether the window is full. One that depends on no rows beside its own begins none,
// and is all that is in it.
func (w *window) add(c change) (full bool) {
	_, pairs := relations[c.entity]
	alone := len(w.changes) == 0 && !pairs && c.entity != TodoCustomFieldOption
	w.changes = append(w.changes, c)
	w.size += windowEntry
	for _, row := range []*Row{c.before, c.after} {
		if row != nil {
			w.size += row.size()
		}
	}
	return alone || w.size >= w.budget
}

func (w *window) clear() {
	clear(w.changes)
	w.changes, w.size, w.owners, w.read = w.changes[:0], 0, nil, nil
}

// holders returns which rows have a pair that a change of the window is about.
func (w *window) holders(r relation, e Entity, f firing) (*holders, error) {
	if w.owners == nil {
		if err := w.ask(); err != nil {
			return nil, err
		}
	}
	owner := memoKey{entity: e, subject: f.subject}
	asked := w.owners[owner]
	if !w.read[owner] {
		if err := w.states.read(asked, r, e, f.subject); err != nil {
			return nil, err
		}
		w.read[owner] = true
	}
	if h := asked[f.pair]; h != nil {
		return h, nil
	}
	return &holders{}, nil
}

// ask notes what all changes of the window are about.
func (w *window) ask() error {
	w.owners, w.read = map[memoKey]held{}, map[memoKey]bool{}
	for _, c := range w.changes {
		for _, at := range []side{{c.before, w.states.before}, {c.after, w.states.after}} {
			e, f, ok, err := pairOf(at.state, at.row)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			owner := memoKey{entity: e, subject: f.subject}
			if w.owners[owner] == nil {
				w.owners[owner] = held{}
			}
			w.owners[owner].ask(f.pair)
		}
	}
	return nil
}

func (h held) ask(pair string) {
	if h[pair] == nil {
		h[pair] = &holders{}
	}
}

// askOf asks about the pair that a row, if there is one, has in r.
func (h held) askOf(row *Row, r relation) {
	if row == nil {
		return
	}
	if other, ok := row.text(r.opposite); ok {
		h.ask(other)
	}
}

// pairOf returns the pair that a row is or, chosen in a value, belongs to, and the entity of the pair's rows.
func pairOf(s state, row *Row) (Entity, firing, bool, error) {
	if row == nil {
		return 0, firing{}, false, nil
	}
	e := row.shape.entity
	if e == TodoCustomFieldOption || e == TodoCustomField {
		f, ok, err := fieldPair(s, row)
		return TodoCustomField, f, ok, err
	}
	r, known := relations[e]
	if !known {
		return 0, firing{}, false, nil
	}
	owner, ok := row.text(r.via)
	other, ok2 := row.text(r.opposite)
	return e, firing{subject: owner, pair: other}, ok && ok2, nil
}

// relations are those whose rows are pairs, by entity.
var relations = map[Entity]relation{
	TodoUser: assignees, TodoTag: tagged, ChecklistItemUser: itemAssignees, TodoCustomField: fieldValues,
}

// read finds the rows that have the pairs asked about.
func (s states) read(asked held, r relation, e Entity, owner string) error {
	for _, side := range []struct {
		in   state
		keys func(h *holders) *[]string
	}{
		{s.before, func(h *holders) *[]string { return &h.before }},
		{s.after, func(h *holders) *[]string { return &h.after }},
	} {
		for row, err := range side.in.each(e, r.via, owner) {
			if err != nil {
				return err
			}
			if c := row.cell(r.opposite); c.kind == cellText {
				if h := asked[string(c.text)]; h != nil {
					if keys := side.keys(h); len(*keys) == 0 || e == TodoCustomField {
						*keys = append(*keys, row.key)
					}
				}
			}
		}
	}
	return nil
}
